// Several routers as processes of their own, sharing one Redis, and callers that want more than they may have.
import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, request } from 'node:http';
import { expect } from 'vitest';
import type { RouterProcess } from './router-process.ts';

export const apiKey = 'sk-limited';

export interface FleetText {
  /** Below `shared_state:`, in flow style: `redis: redis://…`. */
  readonly shared: string;
  /** In flow style: `requests_per_minute: 600`. */
  readonly limits: string;
  readonly onFailure?: 'local' | 'open' | 'closed';
  /** Names of further keys, each of a tenant of its own with the same limits. */
  readonly others?: readonly string[];
}

/** A fleet that answers at once from inside the router. */
export function limitedFleet({ shared, limits, onFailure = 'local', others = [] }: FleetText): string {
  const keys = [apiKey, ...others].map(
    (key) => `    - { tenant: ${key}, key: "\${KEY_PREFIX:-}${key}", limits: { ${limits} } }`,
  );
  return [
    'version: 1',
    'server: { drain_delay: 0s, drain_timeout: 10s }',
    'auth:',
    '  keys:',
    ...keys,
    `shared_state: { ${shared}, on_failure: ${onFailure} }`,
    'backends:',
    '  - { name: sim, engine: simulated, simulate: { models: [m], first_token: 0ms, tokens_per_second: 100000 } }',
    '  - { name: slow, engine: simulated, simulate: { models: [slow], first_token: 10ms, tokens_per_second: 0.2 } }',
    'logging: { access: none }',
    '',
  ].join('\n');
}

export interface Answer {
  /** Since the load began. */
  readonly atMs: number;
  readonly replica: number;
  /** 0: no answer, because the replica was not there. */
  readonly status: number;
  readonly tookMs: number;
  /** As `x-switchyard-limits` says. */
  readonly degraded: boolean;
  /** As reported, input and output together. */
  readonly tokens: number;
  /** What it said, where it should not have failed. */
  readonly failure: string | undefined;
}

export interface LoadWishes {
  /** Those that are there now; looked at for each request. */
  readonly replicas: () => readonly (RouterProcess | undefined)[];
  readonly perSecond: number;
  readonly seconds: number;
  readonly keys?: readonly string[];
  /** Of each request; 1 unless said. */
  readonly maxTokens?: number;
}

export interface Load {
  readonly answers: readonly Answer[];
  /** Milliseconds since it began. */
  readonly nowMs: () => number;
  /** Resolves when every request was answered. */
  readonly done: Promise<void>;
}

/** Sends at a steady rate, to the replicas in turn, whatever becomes of the answers. */
export function startLoad({ replicas, perSecond, seconds, keys = [apiKey], maxTokens = 1 }: LoadWishes): Load {
  const agent = new Agent({ keepAlive: true, maxSockets: 256 });
  const startedMs = performance.now();
  const nowMs = () => performance.now() - startedMs;
  const answers: Answer[] = [];
  const send = async (n: number): Promise<void> => {
    const all = replicas();
    const replica = n % all.length;
    const router = all[replica];
    const atMs = nowMs();
    const key = keys[Math.floor(n / all.length) % keys.length] ?? apiKey;
    const found =
      router === undefined ? nothing : await complete(router.port, { key, agent, maxTokens }).catch(() => nothing);
    answers.push({ atMs, replica, tookMs: nowMs() - atMs, ...found });
  };
  const run = async (): Promise<void> => {
    const sent: Promise<void>[] = [];
    for (let n = 0; n < perSecond * seconds; ) {
      for (const due = Math.floor((nowMs() / 1000) * perSecond); n <= due && n < perSecond * seconds; n++)
        sent.push(send(n));
      await sleep(5);
    }
    await Promise.all(sent);
    agent.destroy();
  };
  return { answers, nowMs, done: run() };
}

type Found = Pick<Answer, 'status' | 'degraded' | 'tokens' | 'failure'>;
const nothing: Found = { status: 0, degraded: false, tokens: 0, failure: undefined };

interface Completion {
  readonly key: string;
  readonly agent: Agent;
  readonly maxTokens: number;
}

function complete(port: number, { key, agent, maxTokens }: Completion): Promise<Found> {
  const body = JSON.stringify({ model: 'm', prompt: 'hi', max_tokens: maxTokens });
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json', 'content-length': body.length };
  return new Promise((resolve, reject) => {
    const sent = request(
      { port, host: '127.0.0.1', path: '/v1/completions', method: 'POST', headers, agent },
      (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('data', (piece: string) => {
          text += piece;
        });
        answer.once('end', () => {
          const tokens = Number(/"total_tokens":(\d+)/.exec(text)?.[1] ?? 0);
          const degraded = answer.headers['x-switchyard-limits'] !== undefined;
          const { statusCode: status = 0 } = answer;
          resolve({ status, degraded, tokens, failure: status >= 500 ? text : undefined });
        });
        answer.once('error', reject);
      },
    );
    sent.setTimeout(10_000, () => sent.destroy(new Error('no answer')));
    sent.once('error', reject);
    sent.end(body);
  });
}

/** What of a load matters to limits. */
export function summary(answers: readonly Answer[]) {
  const admitted = answers.filter(({ status }) => status === 200);
  const statuses = [...new Set(answers.map(({ status }) => status))].toSorted((a, b) => a - b);
  const degraded = answers.filter((one) => one.degraded);
  return {
    admitted: admitted.length,
    tokens: admitted.reduce((sum, { tokens }) => sum + tokens, 0),
    statuses,
    degraded: degraded.length,
    failures: [...new Set(answers.flatMap(({ failure }) => failure ?? []))],
    worstMs: Math.round(Math.max(0, ...answers.map(({ tookMs }) => tookMs))),
  };
}

/** Of requests that came without a pause: the bucket, and what came back meanwhile; ±1 %. */
export function expectExact(admitted: number, { perMinute, seconds }: { perMinute: number; seconds: number }): void {
  const allowed = perMinute + (perMinute / 60) * seconds;
  expect(admitted).toBeGreaterThanOrEqual(allowed * 0.99);
  expect(admitted).toBeLessThanOrEqual(allowed * 1.01);
}
