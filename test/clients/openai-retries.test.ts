// The official Node SDK repeats requests by itself. What the router tells it decides whether and when it does.
import { InternalServerError, type OpenAI, RateLimitError } from 'openai';
import { describe, expect, it } from 'vitest';
import { ungranted } from '../../src/access/verdicts.ts';
import { GatewayError } from '../../src/errors.ts';
import { timeouts } from '../support/a-fleet.ts';
import { fault, hang, reply, stallsAfter } from '../support/scripted/behaviours.ts';
import type { JournalEntry } from '../support/scripted/journal.ts';
import { failureOf, messages, model, openaiOf, routersOfTest } from './clients-of-test.ts';

const start = routersOfTest();

const impatient = { timeouts: { ...timeouts, firstByteMs: 100, firstBytePlainMs: 100 } };
const repeating = { maxRetries: 2 };

/** Milliseconds between the arrivals of the first two requests. */
function pauseMs([first, second]: readonly JournalEntry[]): number {
  return (second?.startedAt ?? 0) - (first?.startedAt ?? 0);
}

describe('a request whose first byte is late', () => {
  it.each([
    ['plain', { stream: false }, hang()],
    ['streamed', { stream: true }, hang()],
    ['streamed, with a head that says nothing yet', { stream: true }, hang('head')],
  ] as const)('is not repeated by the SDK: it would wait once more for nothing (%s)', async (_name, how, behaviour) => {
    const { engine, log, url } = await start({ engines: [{ imitates: 'vllm', backend: impatient }] });
    engine.respond(behaviour);
    const failure = await failureOf(openaiOf({ url }, repeating).chat.completions.create({ model, messages, ...how }));
    expect(failure).toBeInstanceOf(InternalServerError);
    expect(failure).toMatchObject({ status: 504, type: 'backend_timeout' });
    expect(new Headers(Object(failure).headers).get('x-should-retry')).toBe('false');
    expect(engine.posts).toHaveLength(1);
    await expect.poll(() => log.filter(({ outcome }) => outcome === 'backend_timeout')).toHaveLength(1);
  });

  it('is tried once on another backend by the router itself', async () => {
    const { engines, url } = await start({
      engines: [
        { imitates: 'vllm', backend: impatient },
        { imitates: 'sglang', backend: impatient },
      ],
    });
    for (const engine of engines) engine.respond(hang());
    await failureOf(openaiOf({ url }, repeating).chat.completions.create({ model, messages }));
    expect(engines.map(({ posts }) => posts.length)).toEqual([1, 1]);
  });
});

describe('a request that is refused for a moment', () => {
  it.each([
    ['429 of a backend', reply(429, { error: { message: 'slow down', type: 'requests' } }, { 'retry-after': '1' })],
    ['503 of a backend that is full', fault('busy', { headers: { 'retry-after': '1' } })],
  ])('is repeated by the SDK when the time has come (%s)', async (_name, behaviour) => {
    const { engine, url } = await start({ engines: [{ imitates: 'ollama' }] });
    engine.respond([behaviour]);
    const answer = await openaiOf({ url }, repeating).chat.completions.create({ model, messages });
    expect(answer.choices[0]?.message.content).toBe('t1 t2 t3 ');
    expect(engine.posts).toHaveLength(2);
    // Left alone, the SDK comes back within half a second.
    expect(pauseMs(engine.posts)).toBeGreaterThan(900);
  });

  it('is repeated after the time that the limiter tells, and then served', async () => {
    const takenMs: number[] = [];
    const limiter = {
      take: () => {
        takenMs.push(performance.now());
        if (takenMs.length > 1) return Promise.resolve(ungranted);
        return Promise.reject(new GatewayError('rate_limit_exceeded', 'Too many.', { retryAfterSeconds: 0.4 }));
      },
    };
    const client = openaiOf(await start({ limiter }), repeating);
    expect((await client.chat.completions.create({ model, messages })).choices).toHaveLength(1);
    expect(takenMs).toHaveLength(2);
    expect((takenMs[1] ?? 0) - (takenMs[0] ?? 0)).toBeGreaterThan(900);
  });

  it('is a RateLimitError when the SDK may not repeat it', async () => {
    const limiter = {
      take: () => Promise.reject(new GatewayError('rate_limit_exceeded', 'Too many.', { retryAfterSeconds: 7 })),
    };
    const { engine, url } = await start({ limiter });
    const failure = await failureOf(openaiOf({ url }).chat.completions.create({ model, messages }));
    expect(failure).toBeInstanceOf(RateLimitError);
    expect(failure).toMatchObject({ status: 429, type: 'rate_limit_exceeded', message: '429 Too many.' });
    expect(new Headers(Object(failure).headers).get('retry-after')).toBe('7');
    expect(engine.posts).toEqual([]);
  });

  it('finds room once a place has become free', async () => {
    const { engine, service, url } = await start({ engines: [{ imitates: 'vllm', backend: { maxInFlight: 1 } }] });
    engine.respond([stallsAfter(2)]);
    const gone = new AbortController();
    await openaiOf({ url }).chat.completions.create({ model, messages, stream: true }, { signal: gone.signal });
    const refused = await failureOf(openaiOf({ url }).chat.completions.create({ model, messages }));
    expect(refused).toMatchObject({ status: 503, type: 'overloaded' });
    const repeated = openaiOf({ url }, repeating).chat.completions.create({ model, messages });
    repeated.catch(() => {});
    gone.abort();
    expect((await repeated).choices[0]?.message.content).toBe('t1 t2 t3 ');
    await expect.poll(() => service.held().inFlight).toBe(0);
  });
});

describe('a request that can not be served', () => {
  it.each([
    ['model_not_found', (client: OpenAI) => client.models.retrieve('gpt-9')],
    ['model_not_found', (client: OpenAI) => client.chat.completions.create({ model: 'gpt-9', messages })],
    ['unsupported', (client: OpenAI) => client.embeddings.create({ model, input: 'a' })],
  ])('is not repeated (%s)', async (outcome, call) => {
    const { engine, log, metric, url } = await start({ engines: [{ imitates: 'tgi' }] });
    expect(await failureOf(call(openaiOf({ url }, repeating)))).toMatchObject({ type: outcome });
    await expect.poll(() => log.filter((line) => line['outcome'] === outcome)).toHaveLength(1);
    expect(await metric('switchyard_requests_total', { outcome })).toBe(1);
    expect(engine.posts).toEqual([]);
  });
});
