// Replicas that are exchanged one by one below callers that go on asking: nobody may notice.
import { Agent, request } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { Balancer } from '../support/balancer.ts';
import { answer } from '../support/scripted/behaviours.ts';
import type { RouterProcess } from '../support/router-process.ts';
import { chat, question, readAll } from './caller.ts';
import { secrets, systemTest } from './of-test.ts';

const { engine: startEngine, file, serve } = systemTest();

let balancer: Balancer | undefined;
afterEach(async () => {
  await balancer?.close();
  balancer = undefined;
});

const words = 40;
const stream = answer({ pieces: [...Array<string>(words - 1).fill('word '), secrets.answer], gapMs: 50 });

interface Answered {
  readonly status: number;
  readonly text: string;
  /** Whether the transport ended before the body did, or there was none at all. */
  readonly broken: boolean;
}

/** One request after the other on one connection, for as long as the router keeps it. */
class Caller {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  readonly #port: number;

  constructor(port: number) {
    this.#port = port;
  }

  ask(body: object): Promise<Answered> {
    return new Promise((resolve) => {
      let status = 0;
      let text = '';
      const broken = () => resolve({ status, text, broken: true });
      const asked = request({
        port: this.#port,
        host: '127.0.0.1',
        path: '/v1/chat/completions',
        method: 'POST',
        agent: this.#agent,
        headers: { 'content-type': 'application/json' },
      });
      asked.on('error', broken);
      asked.on('response', (response) => {
        status = response.statusCode ?? 0;
        response.setEncoding('utf8').on('data', (piece: string) => (text += piece));
        response.on('end', () => resolve({ status, text, broken: false })).on('error', broken);
      });
      asked.end(JSON.stringify({ ...question, ...body }));
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

function isWhole({ status, text, broken }: Answered): boolean {
  return !broken && status === 200 && text.includes('[DONE]') && text.includes(secrets.answer);
}

describe('three replicas that are restarted one by one', () => {
  it('fail no request and cut no stream', async () => {
    const engines = await Promise.all([startEngine(), startEngine()]);
    for (const engine of engines) engine.respond(stream);
    const quick = await startEngine({ models: ['quick'] });
    const path = file(
      [
        'version: 1',
        'server: { drain_delay: 3s, drain_timeout: 60s }',
        'backends:',
        ...[...engines, quick].map(({ url }) => `  - { url: "${url}", engine: vllm }`),
        '',
      ].join('\n'),
    );
    balancer = await Balancer.start();
    const { port } = balancer;
    const replica = async (): Promise<RouterProcess> => {
      const router = await serve(['-c', path, '--log-level', 'warn']);
      balancer?.add(router.port);
      await balancer?.ready(router.port);
      return router;
    };
    const replicas = await Promise.all([replica(), replica(), replica()]);

    const over = new AbortController();
    const plain: Answered[] = [];
    const streams: Answered[] = [];
    const asking = async (body: object, into: Answered[]) => {
      const caller = new Caller(port);
      while (!over.signal.aborted) into.push(await caller.ask(body));
      caller.close();
    };
    const callers = [
      ...Array.from({ length: 6 }, () => asking({ model: 'quick' }, plain)),
      ...Array.from({ length: 60 }, () => asking({ stream: true }, streams)),
    ];
    for (const old of replicas) {
      old.signal('SIGTERM');
      expect(await old.ended).toEqual({ code: 0, signal: null });
      balancer.remove(old.port);
      await replica();
    }
    over.abort();
    await Promise.all(callers);

    expect(plain.filter(({ status, broken }) => broken || status !== 200)).toEqual([]);
    expect(streams.filter((one) => !isWhole(one))).toEqual([]);
    expect(balancer.refused).toBe(0);
    expect(plain.length).toBeGreaterThan(100);
    expect(streams.length).toBeGreaterThan(150);
  }, 120_000);
});

describe('a router with 500 streams', () => {
  it('that is told to stop finishes all of them', async () => {
    const engine = await startEngine();
    engine.respond(answer({ pieces: [...Array<string>(words - 1).fill('word '), secrets.answer], gapMs: 100 }));
    const server = 'server: { drain_delay: 3s, drain_timeout: 60s }';
    const router = await serve(['-c', file(`version: 1\n${server}\nbackends: [{ url: "${engine.url}" }]\n`)]);
    const responses = await Promise.all(Array.from({ length: 500 }, () => chat(router, { stream: true })));
    const all = responses.map(readAll);
    router.signal('SIGTERM');
    await router.when(({ stderr }) => stderr.includes('"stopping"'));
    // New connections are taken until the delay is over.
    expect((await fetch(`${router.url}/livez`)).status).toBe(200);
    const read = await Promise.all(all);
    expect(read.filter(({ broken, events }) => broken || events.at(-1) !== '[DONE]')).toEqual([]);
    expect(read.filter(({ text }) => !text.includes(secrets.answer))).toEqual([]);
    expect(await router.ended).toEqual({ code: 0, signal: null });
    expect(engine.abortsSeen).toBe(0);
  });
});
