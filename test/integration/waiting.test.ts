// Requests that find every backend full wait for a slot, in fair order, and are told when they wait in vain.
import { createHash } from 'node:crypto';
import { describe, expect, it, vi } from 'vitest';
import { type RouterWishes, routerPerTest } from '../support/running-router.ts';
import { stallsAfter } from '../support/scripted/behaviours.ts';

const { start } = routerPerTest();
const one: RouterWishes = {
  engines: [{ imitates: 'vllm', backend: { maxInFlight: 1 } }],
  queue: { maxLength: 10, maxWaitMs: 20_000 },
};

/** Takes the only slot until it is let go. */
async function occupy({ chat, engine }: Awaited<ReturnType<typeof start>>) {
  engine.respond([stallsAfter(2)]);
  const gone = new AbortController();
  const stream = await chat({ stream: true }, { signal: gone.signal });
  return async () => {
    gone.abort();
    await stream.text().catch(() => '');
  };
}

describe('a request that finds everybody full', () => {
  it('is served when a slot is freed, and says how long it waited', async () => {
    const router = await start(one);
    const letGo = await occupy(router);
    const waiting = router.chat();
    await vi.waitFor(async () =>
      expect(await router.metric('switchyard_queue_length', { model: 'test-model' })).toBe(1),
    );
    expect(router.service.held()).toMatchObject({ waiting: 1, inFlight: 1 });
    await letGo();
    expect((await waiting).status).toBe(200);
    expect(router.log.at(-1)).toMatchObject({ outcome: 'ok', queue_ms: expect.any(Number) });
    expect(await router.metric('switchyard_queue_wait_seconds_count', { model: 'test-model' })).toBe(1);
  });

  it('is told at once when the queue is full', async () => {
    const router = await start({ ...one, queue: { maxLength: 1, maxWaitMs: 20_000 } });
    const letGo = await occupy(router);
    const waiting = router.chat();
    await vi.waitFor(() => expect(router.service.held().waiting).toBe(1));
    const refused = await router.chat();
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1']);
    expect(await refused.json()).toMatchObject({ error: { type: 'overloaded' } });
    expect(await router.metric('switchyard_rejections_total', { reason: 'queue_full' })).toBe(1);
    await letGo();
    expect((await waiting).status).toBe(200);
  });

  it('is told when it has waited too long, and that it need not come back by itself', async () => {
    const router = await start({ ...one, queue: { maxLength: 10, maxWaitMs: 100 } });
    const letGo = await occupy(router);
    const refused = await router.chat();
    expect([refused.status, refused.headers.get('x-should-retry')]).toEqual([503, 'false']);
    expect(await refused.json()).toMatchObject({
      error: { type: 'overloaded', message: expect.stringContaining('100 ms') },
    });
    expect(await router.metric('switchyard_rejections_total', { reason: 'queue_timeout' })).toBe(1);
    await letGo();
  });

  it('leaves no trace when its caller hangs up: the backend sees nothing, and the allowance is whole', async () => {
    const limits = { requestsPerDay: 2 };
    const router = await start({
      ...one,
      auth: { tenants: new Map([['anonymous', { limits, modelLimits: new Map() }]]) },
    });
    const letGo = await occupy(router);
    const gone = new AbortController();
    const waiting = router.chat({}, { signal: gone.signal });
    await vi.waitFor(() => expect(router.service.held().waiting).toBe(1));
    gone.abort();
    await expect(waiting).rejects.toThrow(/abort/i);
    await vi.waitFor(() => expect(router.service.held().waiting).toBe(0));
    await letGo();
    expect(router.engine.posts).toHaveLength(1);
    expect((await router.chat()).status).toBe(200);
  });

  it('goes to a backend that has come up meanwhile', async () => {
    const router = await start({
      ...one,
      engines: [
        { imitates: 'vllm', backend: { maxInFlight: 1 } },
        { imitates: 'vllm', health: 'down', backend: { models: ['test-model'] } },
      ],
    });
    const letGo = await occupy(router);
    const waiting = router.chat();
    await vi.waitFor(() => expect(router.service.held().waiting).toBe(1));
    await router.engines[1]?.setHealth('up');
    expect((await waiting).headers.get('x-switchyard-backend')).toBe('b1');
    await letGo();
  });

  it('is told when the last backend that could serve it goes down', async () => {
    const router = await start({
      engines: [{ imitates: 'vllm', backend: { maxInFlight: 1, models: ['test-model'] } }],
      queue: { maxLength: 10, maxWaitMs: 20_000 },
    });
    const letGo = await occupy(router);
    const waiting = router.chat();
    await vi.waitFor(() => expect(router.service.held().waiting).toBe(1));
    await router.engine.setHealth('down');
    const refused = await waiting;
    expect([refused.status, await refused.json()]).toMatchObject([503, { error: { type: 'no_backend' } }]);
    await letGo();
  });
});

describe('a tenant that floods', () => {
  it('does not make another wait for more than one of its own', async () => {
    const hash = (key: string) => createHash('sha256').update(key).digest('hex');
    const keys = ['flood', 'other'].map((tenant) => ({ tenant, sha256: hash(tenant) }));
    const router = await start({ ...one, auth: { mode: 'keys', keys } });
    const as = (key: string) => ({ headers: { 'x-api-key': key } });
    router.engine.respond([stallsAfter(2)]);
    const gone = new AbortController();
    const stream = await router.chat({ stream: true }, { ...as('flood'), signal: gone.signal });
    const done: string[] = [];
    const ask = async (key: string) => {
      await (await router.chat({}, as(key))).text();
      done.push(key);
    };
    const all = [ask('flood'), ask('flood'), ask('flood'), ask('flood')];
    await vi.waitFor(() => expect(router.service.held().waiting).toBe(4));
    all.push(ask('other'));
    await vi.waitFor(() => expect(router.service.held().waiting).toBe(5));
    gone.abort();
    await stream.text().catch(() => '');
    await Promise.all(all);
    expect(done.indexOf('other')).toBeLessThan(2);
  });
});

describe('a backend that tells how many it runs at once', () => {
  it('is sent no more than that', async () => {
    const router = await start({
      engines: [{ imitates: 'llamacpp', slots: 1 }],
      queue: { maxLength: 10, maxWaitMs: 20_000 },
    });
    const letGo = await occupy(router);
    const waiting = router.chat();
    await vi.waitFor(() => expect(router.service.held().waiting).toBe(1));
    await letGo();
    expect((await waiting).status).toBe(200);
  });
});
