// Several threads that serve on one port are one router: what must be exact is so over all of them. Every request comes on a
// connection of its own, so with two dozen of them each worker gets some.
import { describe, expect, it, vi } from 'vitest';
import { aBackend, aFleet } from '../support/a-fleet.ts';
import { freshChat, freshChats } from '../support/fresh-calls.ts';
import { redisOfTest } from '../support/redis/of-test.ts';
import { settingsFor } from '../support/redis/settings-for.ts';
import { quickProbe, type RouterWishes, type RunningRouter, routerPerTest } from '../support/running-router.ts';
import { answer, reply, stallsAfter } from '../support/scripted/behaviours.ts';
import type { JournalEntry } from '../support/scripted/journal.ts';

const { startRedis } = redisOfTest();
const { start } = routerPerTest();
const two = (wishes: RouterWishes = {}) => start({ ...wishes, server: { workers: 2, ...wishes.server } });
const many = 24;
const statuses = (answers: readonly { readonly status: number }[]) => answers.map(({ status }) => status);
const all = (status: number) => Array<number>(many).fill(status);

/** Most that were open at the same time. */
function mostAtOnce(entries: readonly JournalEntry[]): number {
  const changes = entries.flatMap(({ startedAt, endedAt = Infinity }) => [
    { at: startedAt, by: 1 },
    { at: endedAt, by: -1 },
  ]);
  let open = 0;
  return Math.max(...changes.toSorted((a, b) => a.at - b.at || a.by - b.by).map(({ by }) => (open += by)));
}

async function nothingInFlight({ service }: RunningRouter): Promise<void> {
  await vi.waitFor(() =>
    expect(service.held()).toEqual({ running: 0, inFlight: 0, queued: 0, waiting: 0, bodyBytes: 0 }),
  );
}

/** Also one that has to be started first. */
async function bothServe(router: RunningRouter): Promise<void> {
  await vi.waitFor(async () => expect(await router.metric('switchyard_workers')).toBe(2), { timeout: 15_000 });
}

describe('two workers on one port', () => {
  it('serve callers, and count what both have served', async () => {
    const router = await two();
    expect(statuses(await freshChats(router.port, many))).toEqual(all(200));
    expect(await router.metric('switchyard_requests_total', { outcome: 'ok' })).toBe(many);
    expect(await router.metric('switchyard_workers')).toBe(2);
    expect((await router.get('/readyz')).status).toBe(200);
  });

  it('never have more in flight on a backend than it takes, and serve everybody who waits', async () => {
    const router = await two({
      engines: [{ imitates: 'vllm', backend: { maxInFlight: 1 } }],
      queue: { maxLength: 100, maxWaitMs: 20_000 },
    });
    router.engine.respond(answer({ delayMs: 5 }));
    expect(statuses(await freshChats(router.port, many))).toEqual(all(200));
    expect(router.engine.posts).toHaveLength(many);
    expect(mostAtOnce(router.engine.posts)).toBe(1);
  });

  it('know how much is in flight anywhere when they choose', async () => {
    const router = await two({ engines: [{ imitates: 'vllm' }, { imitates: 'vllm' }] });
    for (const engine of router.engines) engine.respond(stallsAfter(2));
    const streams = [];
    for (let n = 0; n < many; n++) {
      const stream = freshChat(router.port, { stream: true });
      await stream.begun;
      streams.push(stream);
    }
    expect(router.engines.map(({ inFlight }) => inFlight)).toEqual([many / 2, many / 2]);
    expect(router.service.held().inFlight).toBe(many);
    for (const stream of streams) stream.hangUp();
    await nothingInFlight(router);
  });

  it('leave a backend alone whose circuit is open, whichever of them has seen it fail', async () => {
    const router = await two({
      engines: [
        { imitates: 'vllm', backend: { circuit: { ...aBackend().circuit, ...slowToReturn } } },
        { imitates: 'vllm' },
      ],
      retryBudgetRatio: 1,
    });
    const [bad, good] = router.engines;
    bad?.respond(reply(500, { error: 'broken' }));
    expect(statuses(await freshChats(router.port, many))).toEqual(all(200));
    await vi.waitFor(async () =>
      expect(await router.metric('switchyard_circuit_state', { backend: 'b0', state: 'open' })).toBe(1),
    );
    const before = bad?.posts.length;
    expect(statuses(await freshChats(router.port, many))).toEqual(all(200));
    expect([bad?.posts.length, good?.posts.length]).toEqual([before, 2 * many]);
  });

  it('leave a backend alone that has told one of them to come back later', async () => {
    const router = await two({ engines: [{ imitates: 'vllm' }, { imitates: 'vllm' }], retryBudgetRatio: 1 });
    const [busy] = router.engines;
    busy?.respond(reply(429, { error: 'full' }, { 'retry-after': '60' }));
    while (busy?.posts.length === 0) await freshChat(router.port).ended;
    expect(statuses(await freshChats(router.port, many))).toEqual(all(200));
    expect(busy?.posts).toHaveLength(1);
  });

  it('admit together what a limit allows, and not one more', async () => {
    const limits = { requestsPerDay: 10, concurrent: 10 };
    const router = await two({ auth: { tenants: new Map([['anonymous', { limits, modelLimits: new Map() }]]) } });
    const answers = statuses(await freshChats(router.port, many));
    expect(answers.filter((status) => status === 200)).toHaveLength(10);
    expect(answers.filter((status) => status === 429)).toHaveLength(many - 10);
  });

  it('all know another fleet once it is applied', async () => {
    const router = await two();
    const { fleet } = router.service;
    const named = aFleet({ models: { 'test-model': { aliases: ['by-another-name'] } } }).models;
    await router.service.apply({ ...fleet, models: named });
    expect(statuses(await freshChats(router.port, many, { model: 'by-another-name' }))).toEqual(all(200));
  });

  it('let a stream end whose backend has left, and forget the backend then', async () => {
    const router = await two({ engines: [{ imitates: 'vllm' }, { imitates: 'vllm' }] });
    for (const engine of router.engines) engine.respond(answer({ count: 20, gapMs: 20 }));
    const streams = Array.from({ length: many }, () => freshChat(router.port, { stream: true }));
    await Promise.all(streams.map(({ begun }) => begun));
    const { fleet } = router.service;
    await router.service.apply({ ...fleet, backends: fleet.backends.filter(({ name }) => name === 'b1') });
    expect(router.service.counts()).toMatchObject({ states: 2, leaving: 1 });
    const ended = await Promise.all(streams.map((stream) => stream.ended));
    expect(ended.every(({ text }) => text.endsWith('data: [DONE]\n\n'))).toBe(true);
    await vi.waitFor(() => expect(router.service.counts()).toMatchObject({ states: 1, leaving: 0 }));
    await expect.poll(() => router.engines.map(({ openConnections }) => openConnections > 0)).toEqual([false, true]);
  });

  it('tell the admin listener what they have done, and why they failed', async () => {
    const router = await two({ admin: {} });
    await freshChats(router.port, many);
    await freshChats(router.port, 1, { model: 'test-model', stream: 'yes' });
    router.engine.respond(reply(500, { error: 'broken' }));
    await freshChat(router.port).ended;
    const report = async () => {
      const address = router.service.adminAddress;
      return (await fetch(`http://127.0.0.1:${address?.port}/fleet`)).json();
    };
    await expect.poll(report).toMatchObject({
      traffic: { requests: many + 2, in_flight: 0, waiting: 0 },
      backends: [{ name: 'b0', attempts: many + 1, failed: 1, problem: 'HTTP 500' }],
      failures: [{ kind: 'request', backend: 'b0', status: 500 }],
      decisions: expect.arrayContaining([expect.objectContaining({ attempt: 1 })]),
    });
  });
});

/** Its probes are good all the time. */
const slowToReturn = { openForMs: 600_000, openMaxMs: 600_000, growth: 1 };

describe('somebody who waits in one worker', () => {
  it('gets the slot that is freed in another', async () => {
    const router = await two({
      engines: [{ imitates: 'vllm', backend: { maxInFlight: 1 } }],
      queue: { maxLength: 100, maxWaitMs: 20_000 },
    });
    router.engine.respond([stallsAfter(2), answer({ delayMs: 1 })]);
    const first = freshChat(router.port, { stream: true });
    await first.begun;
    const waiting = freshChats(router.port, many);
    await vi.waitFor(() => expect(router.service.held()).toMatchObject({ waiting: many, inFlight: 1 }));
    expect(await router.metric('switchyard_queue_length', { model: 'test-model' })).toBe(many);
    first.hangUp();
    expect(statuses(await waiting)).toEqual(all(200));
  });

  it('has no place where the queue is full in both together', async () => {
    const router = await two({
      engines: [{ imitates: 'vllm', backend: { maxInFlight: 1 } }],
      queue: { maxLength: 3, maxWaitMs: 20_000 },
    });
    router.engine.respond([stallsAfter(2), answer()]);
    const first = freshChat(router.port, { stream: true });
    await first.begun;
    const calls = [];
    for (let n = 0; n < 3; n++) {
      calls.push(freshChat(router.port));
      await vi.waitFor(() => expect(router.service.held().waiting).toBe(n + 1));
    }
    expect(statuses(await freshChats(router.port, many))).toEqual(all(503));
    first.hangUp();
    expect(statuses(await Promise.all(calls.map(({ ended }) => ended)))).toEqual([200, 200, 200]);
  });
});

describe('a worker that dies', () => {
  it('takes its own streams with it and no others, gives back what it held, and is there again', async () => {
    const router = await two({
      auth: { tenants: new Map([['anonymous', { limits: { concurrent: many }, modelLimits: new Map() }]]) },
    });
    router.engine.respond(answer({ count: 60, gapMs: 50 }));
    const streams = Array.from({ length: many }, () => freshChat(router.port, { stream: true }));
    await Promise.all(streams.map(({ begun }) => begun));
    // Until it has been told by the one that is about to die.
    await vi.waitFor(async () => expect(await router.metric('switchyard_requests_inflight')).toBe(many));
    await router.service.killWorker?.(0);
    const ended = await Promise.all(streams.map((stream) => stream.ended));
    const [whole, broken] = [ended.filter((one) => one.whole), ended.filter((one) => !one.whole)];
    expect([whole.length > 0, broken.length > 0]).toEqual([true, true]);
    expect(whole.every(({ text }) => text.endsWith('data: [DONE]\n\n'))).toBe(true);
    await nothingInFlight(router);

    await bothServe(router);
    router.engine.respond(answer());
    expect(statuses(await freshChats(router.port, many))).toEqual(all(200));
    expect(await router.metric('switchyard_worker_deaths_total')).toBe(1);
    expect(router.log).toContainEqual(expect.objectContaining({ msg: 'a worker has died', worker: 0 }));
  });

  it('takes nothing away from what was counted', async () => {
    const router = await two();
    await freshChats(router.port, many);
    const counted = () => router.metric('switchyard_requests_total', { outcome: 'ok' });
    expect(await counted()).toBe(many);
    for (const worker of [0, 1]) {
      await router.service.killWorker?.(worker);
      await bothServe(router);
      expect(await counted()).toBe(many);
    }
    await freshChats(router.port, many);
    expect(await counted()).toBe(2 * many);
  });

  it('lets those go on that wait in the other', async () => {
    const router = await two({
      engines: [{ imitates: 'vllm', backend: { maxInFlight: 1, probe: quickProbe } }],
      queue: { maxLength: 100, maxWaitMs: 20_000 },
    });
    router.engine.respond([stallsAfter(2), answer({ delayMs: 1 })]);
    const first = freshChat(router.port, { stream: true });
    await first.begun;
    const waiting = Array.from({ length: many }, () => freshChat(router.port));
    await vi.waitFor(() => expect(router.service.held().waiting).toBe(many));
    // One of the two has the slot.
    const ends = waiting.map(({ begun, ended }) => begun.then(() => ended).catch(() => undefined));
    await router.service.killWorker?.(0);
    first.hangUp();
    const answered = (await Promise.all(ends)).filter((one) => one !== undefined);
    expect(answered.length).toBeGreaterThan(0);
    expect(answered.every(({ status }) => status === 200)).toBe(true);
    await nothingInFlight(router);
  });
});

describe('two workers with shared state', () => {
  const perDay = (requestsPerDay: number) => ({
    tenants: new Map([['anonymous', { limits: { requestsPerDay }, modelLimits: new Map() }]]),
  });

  it('admit what Redis grants, are one replica to it, and tell once that it is lost and back', async () => {
    const redis = await startRedis();
    const router = await two({ sharedState: settingsFor(redis.url), auth: perDay(10), admin: {} });
    const up = () => router.metric('switchyard_shared_state_up');
    const answers = statuses(await freshChats(router.port, many));
    expect(answers.filter((status) => status === 200)).toHaveLength(10);
    expect(await redis.command('ZCARD', 'switchyard:replicas')).toBe(1);
    expect(await up()).toBe(1);
    await redis.kill();
    await expect.poll(up, { timeout: 5_000 }).toBe(0);
    await redis.restart();
    await expect.poll(up, { timeout: 10_000 }).toBe(1);
    const told = router.log.flatMap(({ shared_state: state }) => state ?? []);
    expect(told).toEqual(['up', 'down', 'up']);
  });

  it('share what is left of a limit while it is away', async () => {
    const redis = await startRedis();
    const router = await two({ sharedState: settingsFor(redis.url), auth: perDay(10) });
    await redis.kill();
    await expect.poll(() => router.metric('switchyard_shared_state_up')).toBe(0);
    const answers = statuses(await freshChats(router.port, many));
    expect(answers.filter((status) => status === 200)).toHaveLength(10);
  });
});

describe('a router of two workers that stops', () => {
  it('lets the streams of both end', async () => {
    const router = await two();
    router.engine.respond(answer({ count: 20, gapMs: 20 }));
    const streams = Array.from({ length: many }, () => freshChat(router.port, { stream: true }));
    await Promise.all(streams.map(({ begun }) => begun));
    await router.service.stop({ delayMs: 0, timeoutMs: 20_000 });
    const ended = await Promise.all(streams.map((stream) => stream.ended));
    expect(ended.filter(({ text }) => text.endsWith('data: [DONE]\n\n'))).toHaveLength(many);
    await expect(freshChat(router.port).begun).rejects.toThrow('ECONNREFUSED');
  });

  it('ends those that take longer with an event that says so', async () => {
    const router = await two();
    router.engine.respond(stallsAfter(2));
    const streams = Array.from({ length: many }, () => freshChat(router.port, { stream: true }));
    await Promise.all(streams.map(({ begun }) => begun));
    await router.service.stop({ delayMs: 0, timeoutMs: 50 });
    const ended = await Promise.all(streams.map((stream) => stream.ended));
    expect(ended.filter(({ text }) => text.includes('"draining"'))).toHaveLength(many);
  });
});
