// Two threads of one replica: each has a connection of its own to Redis, and one ledger is what both go by without it.
import { afterEach, describe, expect, it, vi } from 'vitest';
import { rulesOf } from '../../src/access/rules.ts';
import { ledgerMemory, sharedLedger } from '../../src/access/shared-ledger.ts';
import { createVerdicts } from '../../src/access/verdicts.ts';
import { systemClock } from '../../src/clock.ts';
import type { Limits } from '../../src/fleet/fleet.ts';
import { createSharedLimiter, type SharedLimiter } from '../../src/redis/shared-limiter.ts';
import { aCaller, anAuth } from '../support/a-fleet.ts';
import { redisOfTest } from '../support/redis/of-test.ts';
import { textOf } from '../support/redis/replies.ts';
import { settingsFor } from '../support/redis/settings-for.ts';

const { startRedis, startTcpProxy } = redisOfTest();
const limiters: SharedLimiter[] = [];
afterEach(async () => {
  await Promise.all(limiters.splice(0).map((limiter) => limiter.stop()));
});

async function setting(limits: Limits) {
  const redis = await startRedis();
  const memory = ledgerMemory({ rules: 2, workers: 2 });
  const start = async (worker: number) => {
    const proxy = await startTcpProxy(redis.url);
    let isUp = false;
    const limiter = createSharedLimiter(settingsFor(proxy.url), {
      clock: systemClock,
      verdicts: createVerdicts({ headers: 'openai', decided: () => {} }),
      observer: { asked: () => {}, failed: () => {}, changed: ({ up }) => (isUp = up) },
      ledger: sharedLedger(memory, { clock: systemClock, worker }),
      replica: 'one',
    });
    limiters.push(limiter);
    await limiter.start();
    const caller = aCaller({ rules: rulesOf({ tenant: 't', keyId: 'k', keyLimits: limits }, anAuth(), new Map()) });
    const cost = { inputTokens: 0, outputTokens: 0 };
    const take = () => limiter.take({ caller, model: 'm', cost });
    return {
      limiter,
      take,
      /** How many of so many are granted, one after the other. */
      async granted(count: number) {
        let granted = 0;
        for (let n = 0; n < count; n++) {
          await take().then(
            (grant) => (granted++, grant.settle(cost)),
            () => {},
          );
        }
        return granted;
      },
      async lose() {
        proxy.pause();
        await vi.waitFor(() => expect(isUp).toBe(false), { timeout: 10_000 });
      },
      async find() {
        proxy.resume();
        await vi.waitFor(() => expect(isUp).toBe(true), { timeout: 10_000 });
        await vi.waitFor(() => expect(limiter.held().messages).toBe(0), { timeout: 5_000 });
      },
    };
  };
  /** Requests that Redis knows of; it gets back less than one in the time of a test. */
  const counted = async () => {
    const stored = await redis.command('GET', 'switchyard:{t}:key:k:requests_per_day');
    return stored === null ? 0 : Math.ceil(Number(textOf(stored).split(' ')[0]) - 0.01);
  };
  return { redis, counted, threads: [await start(0), await start(1)] as const };
}

describe('two threads of a replica', () => {
  it('are one replica to the others, and have the whole of the limits together while Redis is away', async () => {
    const { redis, counted, threads } = await setting({ requestsPerDay: 10, concurrent: 4 });
    const [first, second] = threads;
    expect(await redis.command('ZCARD', 'switchyard:replicas')).toBe(1);
    await Promise.all([first.lose(), second.lose()]);
    const running = await Promise.all([first.take(), first.take(), second.take()]);
    expect([await first.granted(1), await second.granted(3)]).toEqual([1, 3]);
    expect(first.limiter.held().leases + second.limiter.held().leases).toBe(2);
    for (const grant of running) grant.settle({ inputTokens: 0, outputTokens: 0 });
    expect(await first.granted(9)).toBe(3);
    expect(await second.granted(9)).toBe(0);
    await Promise.all([first.find(), second.find()]);
    await vi.waitFor(async () => expect(await counted()).toBe(10), { timeout: 5_000 });
    expect(await first.granted(2)).toBe(0);
  });

  it('go by what both know when only one of them has lost Redis', async () => {
    const { counted, threads } = await setting({ requestsPerDay: 10 });
    const [lost, connected] = threads;
    await lost.lose();
    expect(await lost.granted(4)).toBe(4);
    expect(await connected.granted(3)).toBe(3);
    expect(await lost.granted(9)).toBe(3);
    expect(await counted()).toBe(3);
    await lost.find();
    await vi.waitFor(async () => expect(await counted()).toBe(10), { timeout: 5_000 });
    expect(await connected.granted(2)).toBe(0);
  });

  it('are charged once for what both have allowed, whoever is back first', async () => {
    const { counted, threads } = await setting({ requestsPerDay: 1_000 });
    const [first, second] = threads;
    await Promise.all([first.lose(), second.lose()]);
    expect([await first.granted(5), await second.granted(7)]).toEqual([5, 7]);
    await second.find();
    await vi.waitFor(async () => expect(await counted()).toBe(12), { timeout: 5_000 });
    expect(await first.granted(2)).toBe(2);
    await first.find();
    await vi.waitFor(async () => expect(await counted()).toBe(14), { timeout: 5_000 });
  });
});
