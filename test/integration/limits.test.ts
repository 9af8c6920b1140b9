// Limits through a running router: whose they are, what a refusal costs, and what is given back.
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { ApiKey, Limits, TenantSettings } from '../../src/fleet/fleet.ts';
import { expectNothingHeld, type RouterWishes, routerPerTest } from '../support/running-router.ts';
import { readUntil } from '../support/read-until.ts';
import {
  type Behaviour,
  diesAfter,
  errorEvent,
  fault,
  hang,
  hangUp,
  stallsAfter,
} from '../support/scripted/behaviours.ts';

const { start, current } = routerPerTest();

const once = { requestsPerMinute: 1 };
const stream = { stream: true };

function aTenant(limits: Limits, modelLimits: Readonly<Record<string, Limits>> = {}): TenantSettings {
  return { limits, modelLimits: new Map(Object.entries(modelLimits)) };
}

/** For everybody: there are no keys. */
function limitedTo(limits: Limits, modelLimits?: Readonly<Record<string, Limits>>): RouterWishes {
  return { auth: { tenants: new Map([['anonymous', aTenant(limits, modelLimits)]]) } };
}

function aKey(secret: string, more: Partial<ApiKey> = {}): ApiKey {
  return { tenant: 'team', sha256: createHash('sha256').update(secret).digest('hex'), ...more };
}

const by = (key: string): RequestInit => ({ headers: { 'x-api-key': key } });

async function statusOf(response: Promise<Response>): Promise<number> {
  const { status, body } = await response;
  await body?.cancel();
  return status;
}

/** Of so many requests, one after the other. */
async function statuses(count: number, ask: (n: number) => Promise<Response>): Promise<readonly number[]> {
  const found: number[] = [];
  for (let n = 0; n < count; n++) found.push(await statusOf(ask(n)));
  return found;
}

describe('a request beyond a limit', () => {
  it('never reaches a backend, and costs nothing', async () => {
    const { chat, engine } = await start(limitedTo({ requestsPerMinute: 2, tokensPerDay: 1_000 }));
    const asked = await statuses(5, () => chat({ max_tokens: 600 }));
    expect(asked).toEqual([200, 200, 429, 429, 429]);
    expect(engine.posts).toHaveLength(2);
  });

  it('says which limit it was, in metrics and log', async () => {
    const { chat, metric, log } = await start(limitedTo({ requestsPerMinute: 2, requestsPerDay: 9 }));
    await statuses(5, () => chat());
    const decisions = (limit: string, decision: string) =>
      metric('switchyard_rate_limit_decisions_total', { tenant: 'anonymous', limit, decision });
    expect(await decisions('requests_per_minute', 'allowed')).toBe(2);
    expect(await decisions('requests_per_minute', 'denied')).toBe(3);
    expect(await decisions('requests_per_day', 'allowed')).toBe(2);
    expect(await decisions('requests_per_day', 'denied')).toBe(0);
    const refused = { outcome: 'rate_limit_exceeded', status: 429, tenant: 'anonymous', limit: 'requests_per_minute' };
    const lines = log.filter((line) => line['outcome'] !== undefined);
    expect(lines.slice(2)).toMatchObject([refused, refused, refused]);
    for (const line of lines.slice(0, 2)) expect(line).not.toHaveProperty('limit');
    for (const line of lines) expect(line).not.toHaveProperty('limits_degraded');
    expect(await metric('switchyard_requests_total', { outcome: 'rate_limit_exceeded', status_class: '4xx' })).toBe(3);
  });

  it('gets nothing for free by the id of one that was granted', async () => {
    const { chat, engine } = await start(limitedTo({ requestsPerMinute: 2, concurrent: 2 }));
    const same = { headers: { 'x-request-id': 'the-same' } };
    const asked = await Promise.all(Array.from({ length: 5 }, () => statusOf(chat({}, same))));
    expect(asked.toSorted((a, b) => a - b)).toEqual([200, 200, 429, 429, 429]);
    expect(await statusOf(chat({}, same))).toBe(429);
    expect(engine.posts).toHaveLength(2);
  });

  it('is none beyond what is allowed however many come at once', async () => {
    const { chat, engine } = await start(limitedTo({ requestsPerMinute: 5 }));
    const asked = await Promise.all(Array.from({ length: 40 }, () => statusOf(chat())));
    expect(asked.filter((status) => status === 200)).toHaveLength(5);
    expect(engine.posts).toHaveLength(5);
  });
});

describe('limits', () => {
  it('of a key are its own, and those of its tenant are for all its keys together', async () => {
    const { chat } = await start({
      auth: {
        mode: 'keys',
        keys: [aKey('a', { limits: { requestsPerMinute: 2 } }), aKey('b'), aKey('c', { tenant: 'other' })],
        tenants: new Map([['team', aTenant({ requestsPerMinute: 3 })]]),
      },
    });
    expect(await statuses(3, () => chat({}, by('a')))).toEqual([200, 200, 429]);
    expect(await statuses(2, () => chat({}, by('b')))).toEqual([200, 429]);
    expect(await statuses(5, () => chat({}, by('c')))).toEqual([200, 200, 200, 200, 200]);
  });

  it('of a tenant on one model leave the other models alone, and count it under all its names', async () => {
    const { chat } = await start({
      ...limitedTo({}, { 'test-model': { requestsPerMinute: 2 } }),
      engines: [{ imitates: 'openai', models: ['test-model', 'second'] }],
      models: { 'test-model': { aliases: ['nick'], limits: once }, second: { limits: { requestsPerMinute: 3 } } },
    });
    const names = ['nick', 'test-model', 'nick'];
    expect(await statuses(3, (n) => chat({ model: names[n] }))).toEqual([200, 200, 429]);
    expect(await statuses(4, () => chat({ model: 'second' }))).toEqual([200, 200, 200, 429]);
  });

  it('do not bind a model the key may not use: that is forbidden, and costs nothing', async () => {
    const { chat, get } = await start({
      engines: [{ imitates: 'openai', models: ['test-model', 'second'] }],
      auth: { mode: 'keys', keys: [aKey('a', { models: ['test-*'], limits: once }), aKey('b')] },
    });
    expect(await statuses(3, () => chat({ model: 'second' }, by('a')))).toEqual([403, 403, 403]);
    expect(await statuses(2, () => chat({}, by('a')))).toEqual([200, 429]);
    const listed = async (key: string) => {
      const list: { readonly data: readonly { readonly id: string }[] } = JSON.parse(
        await (await get('/v1/models', by(key))).text(),
      );
      return list.data.map(({ id }) => id);
    };
    expect(await listed('a')).toEqual(['test-model']);
    expect(await listed('b')).toEqual(['second', 'test-model']);
    expect(await statusOf(get('/v1/models/second', by('a')))).toBe(403);
  });

  it('count requests for models only, and no model twice for a retry', async () => {
    const { chat, get, engines } = await start({
      ...limitedTo({ requestsPerMinute: 2 }),
      engines: [{ imitates: 'vllm' }, { imitates: 'vllm' }],
    });
    expect(await statuses(3, () => get('/v1/models'))).toEqual([200, 200, 200]);
    let asked = 0;
    for (const engine of engines) engine.respond(() => (asked++ === 0 ? hangUp('reset') : undefined));
    expect(await statuses(3, () => chat())).toEqual([200, 200, 429]);
    expect(engines.flatMap(({ posts }) => posts)).toHaveLength(3);
  });
});

describe('a request that no backend has answered', () => {
  const unhurried = { probe: { upAfter: 1, downAfter: 99, intervalMs: 60_000 } };

  it('costs nothing: not when no backend can be reached', async () => {
    const { chat, engine } = await start({ ...limitedTo(once), engines: [{ imitates: 'vllm', backend: unhurried }] });
    await engine.refuse();
    expect(await statuses(3, () => chat())).toEqual([502, 502, 502]);
    await engine.listen();
    expect(await statuses(2, () => chat())).toEqual([200, 429]);
  });

  it('nor when every backend is full', async () => {
    const { chat, engine } = await start({
      engines: [{ imitates: 'vllm', backend: { maxInFlight: 1 } }],
      auth: { mode: 'keys', keys: [aKey('a', { limits: { ...once, tokensPerDay: 500 } }), aKey('b')] },
    });
    engine.respond([stallsAfter(2)]);
    const gone = new AbortController();
    await chat(stream, { ...by('b'), signal: gone.signal });
    expect(await statuses(3, () => chat({ max_tokens: 400 }, by('a')))).toEqual([503, 503, 503]);
    gone.abort();
    await expectNothingHeld(current());
    expect(await statuses(2, () => chat({ max_tokens: 400 }, by('a')))).toEqual([200, 429]);
  });

  it.each<[string, Behaviour, object]>([
    ['breaks the connection', hangUp('reset'), {}],
    ['has an error of its own', fault('internal', { as: 'status' }), {}],
    ['begins a stream with one', errorEvent('internal'), stream],
  ])('nor when the backend %s', async (_name, behaviour, extra) => {
    const { chat, engine } = await start(limitedTo({ ...once, concurrent: 1 }));
    engine.respond(behaviour);
    expect(await statusOf(chat({ ...extra }))).toBeGreaterThanOrEqual(500);
    engine.respond([]);
    expect(await statuses(2, () => chat())).toEqual([200, 429]);
  });

  it.each<[string, Behaviour]>([
    ['refused', fault('invalid', { as: 'status' })],
    ['found too long', fault('overflow', { as: 'status' })],
  ])('but counts when a backend has %s it', async (_name, behaviour) => {
    const { chat, engine } = await start(limitedTo({ requestsPerMinute: 2 }));
    engine.respond([behaviour]);
    expect(await statuses(3, () => chat())).toEqual([400, 200, 429]);
  });
});

describe('a limit of one request at the same time', () => {
  const one = limitedTo({ concurrent: 1 });

  it('holds while a stream runs, and not a moment longer', async () => {
    const { chat, engine } = await start(one);
    engine.respond([stallsAfter(3)]);
    const gone = new AbortController();
    const running = await chat(stream, { signal: gone.signal });
    expect(running.status).toBe(200);
    expect(await statuses(3, () => chat(stream))).toEqual([429, 429, 429]);
    gone.abort();
    await engine.when(({ abortsSeen }) => abortsSeen === 1);
    for (let n = 0; n < 10; n++) {
      const response = await chat(stream);
      expect(response.status).toBe(200);
      expect(await response.text()).toContain('[DONE]');
    }
    expect(engine.posts).toHaveLength(11);
  });

  it('is free again after a stream that broke, before the caller is let go', async () => {
    const { chat, engine } = await start(one);
    for (const how of ['fin', 'reset', 'end'] as const) {
      engine.respond([diesAfter(3, how)]);
      const reader = await readUntil(await chat(stream), '"error"');
      expect(await statusOf(chat())).toBe(200);
      await reader.cancel().catch(() => {});
    }
  });

  it('is free again when the caller hangs up before anything has come', async () => {
    const { chat, engine } = await start(one);
    engine.respond([hang()]);
    const gone = new AbortController();
    const asked = chat({}, { signal: gone.signal }).catch(() => 'hung up');
    await engine.when(({ inFlight }) => inFlight === 1);
    expect(await statusOf(chat())).toBe(429);
    gone.abort();
    expect(await asked).toBe('hung up');
    await engine.when(({ abortsSeen }) => abortsSeen === 1);
    expect(await statusOf(chat())).toBe(200);
  });
});
