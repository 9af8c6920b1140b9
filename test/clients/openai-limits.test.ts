// The official Node SDK at a limit: it waits as long as it is told, and not at all when that would be in vain.
import { RateLimitError } from 'openai';
import { describe, expect, it } from 'vitest';
import type { Limits } from '../../src/fleet/fleet.ts';
import type { RouterWishes } from '../support/running-router.ts';
import { all, failureOf, messages, model, openaiOf, routersOfTest } from './clients-of-test.ts';

const start = routersOfTest();

function limitedTo(limits: Limits): RouterWishes {
  return { auth: { tenants: new Map([['anonymous', { limits, modelLimits: new Map() }]]) } };
}

const repeating = { maxRetries: 2 };
const chat = { model, messages };
/** One at once, and another every 1,035 ms: more than the SDK waits on its own, less than whole seconds say. */
const quick = { requestsPerMinute: 58, burst: { requests: 1 } };
const refusals = (log: readonly Readonly<Record<string, unknown>>[]) =>
  log.filter(({ outcome }) => outcome === 'rate_limit_exceeded').length;

describe('the SDK at a limit', () => {
  it.each([{ stream: false }, { stream: true }] as const)(
    'comes back after the milliseconds it was told, once, and is served ($stream)',
    async ({ stream }) => {
      const { engine, log, url } = await start(limitedTo(quick));
      const client = openaiOf({ url }, repeating);
      await client.chat.completions.create(chat);
      if (stream) await all(await client.chat.completions.create({ ...chat, stream }));
      else await client.chat.completions.create(chat);
      const [first, second, ...more] = engine.posts;
      const pauseMs = (second?.startedAt ?? 0) - (first?.startedAt ?? 0);
      expect(more).toEqual([]);
      // Left alone, the SDK comes back within half a second; by Retry-After alone, after two.
      expect(pauseMs).toBeGreaterThan(900);
      expect(pauseMs).toBeLessThan(1_900);
      expect(refusals(log)).toBe(1);
    },
  );

  it('throws its RateLimitError when it may not repeat, with all that it was told', async () => {
    const { engine, url } = await start(limitedTo({ requestsPerMinute: 5 }));
    const client = openaiOf({ url });
    for (let n = 0; n < 5; n++) await client.chat.completions.create(chat);
    const failure = await failureOf(client.chat.completions.create(chat));
    if (!(failure instanceof RateLimitError)) throw new Error('another failure');
    expect(failure).toMatchObject({ status: 429, type: 'rate_limit_exceeded' });
    expect(failure.message).toMatch(/^429 The limit requests_per_minute \(5\) of tenant "anonymous" is used up\./);
    expect(failure.requestID).toMatch(/^[0-9a-f-]{36}$/);
    expect(failure.headers.get('x-ratelimit-limit-requests')).toBe('5');
    expect(failure.headers.get('x-ratelimit-remaining-requests')).toBe('0');
    expect(failure.headers.get('x-ratelimit-reset-requests')).toMatch(/^(\d+m)?\d+(\.\d+)?s$/);
    expect(Number(failure.headers.get('retry-after-ms'))).toBeGreaterThan(0);
    expect(Number(failure.headers.get('retry-after'))).toBeLessThanOrEqual(12);
    expect(failure.headers.get('x-should-retry')).toBeNull();
    expect(engine.posts).toHaveLength(5);
  });

  it.each([{ requestsPerDay: 1 }, { tokensPerDay: 20 }])('asks once when it is one of a day: %j', async (limits) => {
    const { engine, log, metric, url } = await start(limitedTo(limits));
    const client = openaiOf({ url }, { maxRetries: 5 });
    const bounded = { ...chat, max_tokens: 15 };
    await client.chat.completions.create(bounded);
    const failure = await failureOf(client.chat.completions.create(bounded));
    expect(failure).toBeInstanceOf(RateLimitError);
    expect(new Headers(Object(failure).headers).get('x-should-retry')).toBe('false');
    expect(refusals(log)).toBe(1);
    const denied = { tenant: 'anonymous', decision: 'denied' };
    expect(await metric('switchyard_rate_limit_decisions_total', denied)).toBe(1);
    expect(engine.posts).toHaveLength(1);
  });

  it('reads what is left from an answer that was served', async () => {
    const { url } = await start(limitedTo({ requestsPerDay: 10, tokensPerDay: 1_000 }));
    const { response } = await openaiOf({ url })
      .chat.completions.create({ ...chat, max_tokens: 97 })
      .withResponse();
    expect(response.headers.get('x-ratelimit-remaining-requests')).toBe('9');
    expect(response.headers.get('x-ratelimit-remaining-tokens')).toBe('900');
  });

  it('sees no usage in a stream that counts tokens, unless it asks for it', async () => {
    const { url } = await start(limitedTo({ tokensPerDay: 1_000_000 }));
    const client = openaiOf({ url });
    const chunks = await all(await client.chat.completions.create({ ...chat, stream: true }));
    expect(chunks.filter(({ usage, choices }) => usage || choices.length === 0)).toEqual([]);
    const asking = { ...chat, stream: true, stream_options: { include_usage: true } } as const;
    expect((await all(await client.chat.completions.create(asking))).at(-1)?.usage?.completion_tokens).toBe(3);
  });
});
