// What answers tell callers about their limits.
import { describe, expect, it } from 'vitest';
import type { Fleet, Limits } from '../../src/fleet/fleet.ts';
import { type RouterWishes, routerPerTest } from '../support/running-router.ts';
import { answer, fault, hangUp, stallsAfter } from '../support/scripted/behaviours.ts';

const { start } = routerPerTest();

type Words = Fleet['server']['rateLimitHeaders'];

function limitedTo(limits: Limits, words: Words = 'openai'): RouterWishes {
  return {
    auth: { tenants: new Map([['anonymous', { limits, modelLimits: new Map() }]]) },
    server: { rateLimitHeaders: words },
  };
}

/** The headers that speak of limits. */
function told({ headers }: Response): Readonly<Record<string, string>> {
  const speaking = /^(x-)?ratelimit|^retry-after|^x-should-retry|^x-switchyard-limits/;
  return Object.fromEntries([...headers].filter(([name]) => speaking.test(name)));
}

const day = { requestsPerDay: 10, tokensPerDay: 1_000 };
const bounded = { max_tokens: 99 };

describe('an answer', () => {
  const left = (requests: number, tokens: number) => ({
    'x-ratelimit-limit-requests': '10',
    'x-ratelimit-remaining-requests': String(requests),
    'x-ratelimit-reset-requests': expect.stringMatching(/^\d+h\d+m[\d.]+s$/),
    'x-ratelimit-limit-tokens': '1000',
    'x-ratelimit-remaining-tokens': String(tokens),
    'x-ratelimit-reset-tokens': expect.stringMatching(/^\d+h\d+m[\d.]+s$/),
  });

  it('tells what is left, streamed or not', async () => {
    const { chat, engine } = await start(limitedTo(day));
    engine.respond(answer({ promptTokens: 4, count: 6 }));
    for (const [n, stream] of [false, true, false, true].entries()) {
      const response = await chat({ ...bounded, stream });
      expect(response.status).toBe(200);
      expect(told(response)).toEqual(left(9 - n, 900 - 10 * n));
      await response.text();
    }
  });

  it('tells the same when it is an error: the backend’s own, or that there is none', async () => {
    const { chat, engine } = await start(limitedTo(day));
    for (const [behaviour, status, requests] of [
      [fault('invalid', { as: 'status' }), 400, 9],
      [fault('internal', { as: 'status' }), 500, 8],
      [hangUp('reset'), 502, 8],
    ] as const) {
      engine.respond(behaviour);
      const response = await chat(bounded);
      expect(response.status).toBe(status);
      expect(told(response)).toEqual(left(requests, 900));
    }
  });

  it('tells nothing where nothing is limited, or before it is known who asks for what', async () => {
    const { chat, post, get } = await start(limitedTo(day));
    expect(told(await chat({ model: 'nobody-has-this' }))).toEqual({});
    expect(told(await post('/v1/chat/completions', '{'))).toEqual({});
    expect(told(await get('/v1/models'))).toEqual({});
  });

  it('tells nothing without limits', async () => {
    expect(told(await (await start()).chat())).toEqual({});
  });

  it('never tells a backend’s limits for ours', async () => {
    const { chat, engine } = await start(limitedTo(day));
    engine.respond(answer({ headers: { 'x-ratelimit-remaining-requests': '12345', ratelimit: '"x";r=1' } }));
    expect(told(await chat(bounded))).toEqual(left(9, 900));
  });
});

describe('a refusal', () => {
  it('is a 429 that names limit, tenant and time, in body and headers', async () => {
    const { chat } = await start(limitedTo({ requestsPerMinute: 5 }));
    await Promise.all(Array.from({ length: 5 }, () => chat()));
    const response = await chat();
    expect(response.status).toBe(429);
    expect(response.headers.get('content-type')).toBe('application/json');
    expect(response.headers.get('x-switchyard-error-source')).toBe('gateway');
    expect(response.headers.get('x-switchyard-backend')).toBe('none');
    expect(response.headers.get('x-switchyard-attempts')).toBe('0');
    const headers = told(response);
    const waitMs = Number(headers['retry-after-ms']);
    expect(waitMs).toBeGreaterThan(0);
    expect(waitMs).toBeLessThanOrEqual(12_000);
    expect(headers).toEqual({
      'x-ratelimit-limit-requests': '5',
      'x-ratelimit-remaining-requests': '0',
      'x-ratelimit-reset-requests': expect.stringMatching(/^(1m0|5\d(\.\d+)?)s$/),
      'retry-after': String(Math.ceil(waitMs / 1_000)),
      'retry-after-ms': expect.stringMatching(/^\d+$/),
    });
    const seconds = Math.ceil(waitMs / 1_000);
    const message = `The limit requests_per_minute (5) of tenant "anonymous" is used up. Try again in ${seconds} s.`;
    expect(await response.json()).toEqual({ error: { type: 'rate_limit_exceeded', message } });
  });

  it('for a day tells the SDKs not to try again', async () => {
    const { chat } = await start(limitedTo({ requestsPerDay: 2 }));
    await chat();
    await chat();
    const headers = told(await chat());
    expect(headers['x-should-retry']).toBe('false');
    expect(Number(headers['retry-after'])).toBeGreaterThan(43_000);
    expect(Number(headers['retry-after'])).toBeLessThanOrEqual(43_200);
  });

  it('for requests at the same time says a second', async () => {
    const { chat, engine } = await start(limitedTo({ concurrent: 1 }));
    engine.respond([stallsAfter(2)]);
    const gone = new AbortController();
    await chat({ stream: true }, { signal: gone.signal });
    const response = await chat();
    expect(told(response)).toEqual({ 'retry-after': '1', 'retry-after-ms': '1000' });
    const message =
      'The limit of 1 concurrent requests of tenant "anonymous" is reached. Try again when one of them has ended.';
    expect(await response.json()).toEqual({ error: { type: 'rate_limit_exceeded', message } });
    gone.abort();
  });
});

describe('the fleet file chooses the words:', () => {
  const limits = { requestsPerDay: 2, concurrent: 3 };
  const policy = '"tenant.requests_per_day";q=2;w=86400, "tenant.concurrent";q=3;qu="concurrent-requests"';

  it('those of the IETF', async () => {
    const { chat } = await start(limitedTo(limits, 'ietf'));
    expect(told(await chat())).toEqual({
      'ratelimit-policy': policy,
      ratelimit: '"tenant.requests_per_day";r=1;t=43200, "tenant.concurrent";r=2',
    });
    await chat();
    const refused = told(await chat());
    expect(Object.keys(refused).toSorted()).toEqual([
      'ratelimit',
      'ratelimit-policy',
      'retry-after',
      'retry-after-ms',
      'x-should-retry',
    ]);
    expect(refused['ratelimit']).toMatch(/^"tenant\.requests_per_day";r=0;t=86[34]\d\d, "tenant\.concurrent";r=3$/);
  });

  it('or both', async () => {
    const { chat } = await start(limitedTo(limits, 'both'));
    expect(Object.keys(told(await chat())).toSorted()).toEqual([
      'ratelimit',
      'ratelimit-policy',
      'x-ratelimit-limit-requests',
      'x-ratelimit-remaining-requests',
      'x-ratelimit-reset-requests',
    ]);
  });
});
