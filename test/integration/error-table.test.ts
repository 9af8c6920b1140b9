// Every row of the error table, produced by the running router: status, envelope and headers.
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RateLimiter } from '../../src/access/limiter.ts';
import { type ErrorCode, errorTable, GatewayError } from '../../src/errors.ts';
import { timeouts } from '../support/a-fleet.ts';
import { startBlackHole } from '../support/black-hole.ts';
import { exchangeBytes, post, statusesOf } from '../support/raw-http.ts';
import { type RunningRouter, startRouter } from '../support/running-router.ts';
import type { Behaviour } from '../support/scripted/behaviours.ts';
import { errorEvent, fault, hang, hangUp, stallsAfter } from '../support/scripted/behaviours.ts';

/** What the caller saw: a status, and the text after it. */
interface Seen {
  readonly status: number;
  readonly text: string;
  readonly header: (name: string) => string | null;
}

let router: RunningRouter;
let guarded: RunningRouter;
let dead: RunningRouter;
let limited: RunningRouter;
/** What the limiter of `limited` rejects with. */
let refusal: unknown;

beforeAll(async () => {
  const quick = { timeouts: { ...timeouts, connectMs: 200, firstByteMs: 100, firstBytePlainMs: 100, gapMs: 100 } };
  const limiter: RateLimiter = {
    take: () => {
      throw refusal;
    },
  };
  [router, guarded, dead, limited] = await Promise.all([
    startRouter({
      engines: [{ imitates: 'vllm', models: ['test-model', 'second'], backend: quick }],
      server: { maxBodyBytes: 50_000 },
      models: { quick: { backendNames: new Map([['b0', 'second']]), timeouts: { totalMs: 60 } } },
    }),
    startRouter({
      auth: {
        mode: 'keys',
        keys: [{ tenant: 't', sha256: createHash('sha256').update('k').digest('hex'), models: ['none'] }],
      },
    }),
    startRouter({ engines: [], others: [{ name: 'gone', url: 'http://127.0.0.1:9', models: ['m'] }] }),
    startRouter({ limiter, bodyTimeoutMs: 50 }),
  ]);
});
afterAll(async () => {
  await Promise.all([router, guarded, dead, limited].map((one) => one.stop()));
});

async function seen(response: Promise<Response>): Promise<Seen> {
  const { status, headers, body } = await response;
  const pieces: Uint8Array[] = [];
  try {
    for await (const piece of body ?? []) pieces.push(piece);
  } catch {
    // A stream that was broken off; what came before is what the caller has.
  }
  return { status, text: Buffer.concat(pieces).toString(), header: (name) => headers.get(name) };
}

async function seenRaw(port: number, bytes: string): Promise<Seen> {
  const received = await exchangeBytes(port, bytes);
  const [head = '', text = ''] = received.split('\r\n\r\n');
  const header = (name: string) => new RegExp(`^${name}: (.*)$`, 'im').exec(head)?.[1]?.trim() ?? null;
  return { status: statusesOf(received)[0] ?? 0, text, header };
}

function when(behaviour: Behaviour, extra: Readonly<Record<string, unknown>> = {}): Promise<Seen> {
  router.engine.respond(behaviour);
  return seen(router.chat(extra));
}

/** One way to get each row; only of `client_closed` there is nobody left to see it. */
type Seeable = Exclude<ErrorCode, 'client_closed'>;
const ways: Readonly<Record<Seeable, () => Promise<Seen>>> = {
  invalid_request: () => seen(router.post('/v1/chat/completions', '{')),
  method_not_allowed: () => seen(router.get('/v1/embeddings')),
  unsupported_media_type: () =>
    seen(router.post('/v1/completions', 'x', { headers: { 'content-type': 'text/plain' } })),
  expectation_failed: () => seenRaw(router.port, post('/v1/completions', '{}', ['Expect: the-unexpected'])),
  headers_too_large: () => seenRaw(router.port, post('/v1/completions', '{}', [`x: ${'y'.repeat(20_000)}`])),
  unauthorized: () => seen(guarded.chat()),
  forbidden: () => seen(guarded.chat({}, { headers: { 'x-api-key': 'k' } })),
  model_not_found: () => seen(router.chat({ model: 'nobody-has-this' })),
  not_found: () => seen(router.get('/v1/nothing')),
  request_too_large: () => seen(router.post('/v1/chat/completions', 'x'.repeat(60_000))),
  unsupported: () => seen(router.post('/v1/embeddings', { model: 'test-model', input: 'x' })),
  rate_limit_exceeded: () =>
    refused(new GatewayError('rate_limit_exceeded', 'Come back in 3 s.', { retryAfterSeconds: 2.5 })),
  limiter_unavailable: () => refused(new GatewayError('limiter_unavailable', 'Limits can not be checked now.')),
  internal: () => refused(new TypeError('a bug, with a prompt in it')),
  request_timeout: () =>
    seenRaw(limited.port, post('/v1/completions', '').replace('Content-Length: 0', 'Content-Length: 9')),
  draining: async () => {
    const stopping = await startRouter();
    stopping.engine.respond(hang());
    const cutOff = seen(stopping.chat());
    await stopping.engine.when(({ inFlight }) => inFlight === 1);
    await stopping.service.stop({ delayMs: 0, timeoutMs: 20 });
    await stopping.engine.close();
    return cutOff;
  },
  overloaded: async () => {
    await when(fault('busy', { as: 'status', headers: { 'retry-after': '1' } }));
    const refused = await seen(router.chat());
    await new Promise((resolve) => void setTimeout(resolve, 1_050));
    return refused;
  },
  loop_detected: async () => {
    await when(fault('invalid', { as: 'status' }));
    const asked = router.engine.journal.findLast(({ method }) => method === 'POST');
    const hop = String(asked?.headers['x-switchyard-hop']);
    return seen(router.chat({}, { headers: { 'x-switchyard-hop': `another, ${hop}` } }));
  },
  no_backend: () => seen(dead.chat({ model: 'm' })),
  total_timeout: () => when(hang(), { model: 'quick' }),
  backend_unreachable: async () => {
    const far = await startRouter({
      engines: [{ imitates: 'vllm', backend: { probe: { upAfter: 1, downAfter: 99, intervalMs: 60_000 } } }],
    });
    await far.engine.refuse();
    const refused = await seen(far.chat());
    await far.stop();
    return refused;
  },
  connect_timeout: async () => {
    const hole = await startBlackHole();
    const impatient = { ...timeouts, connectMs: 50 };
    const others = [{ name: 'hole', url: hole.url, models: ['far'], timeouts: impatient }];
    // Not probed to its end yet, so it is tried: nobody is known to be better.
    const far = await startRouter({ engines: [], others, waitUntilDiscovered: false });
    const timedOut = await seen(far.chat({ model: 'far' }));
    await far.stop();
    await hole.close();
    return timedOut;
  },
  first_byte_timeout: () => when(hang()),
  gap_timeout: () => when(stallsAfter(3), { stream: true }),
  backend_broken: () => when(hangUp('reset')),
  backend_busy: () => when(fault('busy', { as: 'status' })),
  backend_error: () => when(errorEvent('internal'), { stream: true }),
  backend_misconfigured: () => when(fault('unauthorized', { as: 'status' })),
  backend_unsuited: () => when(fault('overflow', { as: 'status' })),
  backend_rejected: () => when(fault('invalid', { as: 'status' })),
};

function refused(reason: unknown): Promise<Seen> {
  refusal = reason;
  return seen(limited.chat());
}

const codes = Object.keys(errorTable).filter((code): code is Seeable => code !== 'client_closed');
const asSent = codes.filter((code) => /^backend_(busy|error|misconfigured|unsuited|rejected)$/.test(code));
const afterCommit: readonly Seeable[] = ['gap_timeout'];
const own = codes.filter((code) => !asSent.includes(code) && !afterCommit.includes(code));
const anEnvelope = (type: string) => ({ error: { type, message: expect.stringMatching(/\w/) } });

describe('the error table', () => {
  it('has a way to each of its rows', () => {
    expect(Object.keys(ways).toSorted()).toEqual(codes.toSorted());
    expect(asSent).toHaveLength(5);
  });

  it.each(own)('%s is told in our envelope', async (code) => {
    const { row } = new GatewayError(code, '');
    const { status, text, header } = await ways[code]();
    expect(JSON.parse(text)).toEqual(anEnvelope(row.type));
    expect(text).not.toContain('with a prompt');
    expect(status).toBe(row.status);
    expect(header('content-type')).toBe('application/json');
    expect(header('x-request-id')).toMatch(/./);
    expect(header('x-switchyard-attempts')).toMatch(/^\d+$/);
    expect(header('x-switchyard-error-source')).toBe(row.source === 'backend' ? 'backend' : 'gateway');
    expect(header('x-should-retry')).toBe(row.shouldRetry === undefined ? null : String(row.shouldRetry));
    expect(header('retry-after') !== null).toBe(row.retryAfterSeconds !== undefined);
  });

  it.each(asSent)('%s passes as the backend sent it', async (code) => {
    const { status, text, header } = await ways[code]();
    expect(status).toBeGreaterThanOrEqual(400);
    expect(header('x-switchyard-error-source')).toBe('backend');
    expect(text).toContain('"error"');
    expect(text).not.toContain('"type":"backend_');
  });

  it.each(afterCommit)('%s is the last event of a stream', async (code) => {
    const { status, text } = await ways[code]();
    expect(status).toBe(200);
    expect(
      JSON.parse(
        text
          .trimEnd()
          .split('\n\n')
          .at(-1)
          ?.replace(/^data: /, '') ?? '',
      ),
    ).toEqual(anEnvelope('backend_timeout'));
    expect(text).not.toContain('[DONE]');
  });
});
