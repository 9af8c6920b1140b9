// The scripts on real servers, under a clock of the test's own: exact where the clock stands, moves, steps back or jumps.
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { Ledger } from '../../src/access/ledger.ts';
import type { Cost } from '../../src/access/limiter.ts';
import { type Rules, rulesOf } from '../../src/access/rules.ts';
import type { Limits } from '../../src/fleet/fleet.ts';
import { LimitCalls, leaseMs, readTakeAnswer, type TakeAnswer } from '../../src/redis/limit-calls.ts';
import { anAuth } from '../support/a-fleet.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { ScriptBench } from '../support/redis/script-bench.ts';

describe.each(inject('sharedServers'))('the scripts on $name', ({ url }) => {
  let bench: ScriptBench;
  let calls: LimitCalls;
  let ids = 0;
  let tenants = 0;
  beforeAll(() => {
    bench = new ScriptBench(url);
    calls = new LimitCalls(bench.prefix);
  });
  afterAll(() => bench.close());

  /** Of a tenant that nobody has used. */
  function rules(keyLimits: Limits): Rules {
    return rulesOf({ tenant: `t${tenants++}`, keyId: 'k', keyLimits }, anAuth(), new Map())('m');
  }
  async function take(limits: Rules, wishes: { id?: string; cost?: Cost; notAfterMs?: number } = {}) {
    const call = calls.take(limits, { id: `r${ids++}`, cost: tokens(0), notAfterMs: 0, ...wishes });
    return readTakeAnswer(await bench.run('take', call.keys, call.args), limits);
  }
  async function outcomes(count: number, limits: Rules): Promise<readonly TakeAnswer['outcome'][]> {
    const found: TakeAnswer['outcome'][] = [];
    for (let n = 0; n < count; n++) found.push((await take(limits)).outcome);
    return found;
  }
  function settle(limits: Rules, id: string, delta: number): Promise<unknown> {
    const deltas = limits.rates.map(() => delta);
    const call = calls.settle(limits, id, deltas);
    return bench.run('settle', call.keys, call.args);
  }
  const tokens = (inputTokens: number, outputTokens = 0): Cost => ({ inputTokens, outputTokens });

  it('allow five per minute at once, then one every twelve seconds', async () => {
    const limits = rules({ requestsPerMinute: 5 });
    expect(await outcomes(6, limits)).toEqual([...Array(5).fill('granted'), 'denied']);
    bench.nowMs += 11_999;
    expect(await outcomes(1, limits)).toEqual(['denied']);
    bench.nowMs += 1;
    expect(await outcomes(2, limits)).toEqual(['granted', 'denied']);
    bench.nowMs += 3_600_000;
    expect(await outcomes(6, limits)).toEqual([...Array(5).fill('granted'), 'denied']);
  });

  it('book nothing of a request that one limit refuses', async () => {
    const limits = rules({ requestsPerMinute: 10, tokensPerMinute: 100, concurrent: 10 });
    expect((await take(limits, { cost: tokens(90) })).outcome).toBe('granted');
    const denied = await take(limits, { cost: tokens(20) });
    expect(denied).toMatchObject({ outcome: 'denied', reading: { used: [1, 90], held: [1] } });
    expect((await take(limits, { cost: tokens(10) })).reading).toMatchObject({ used: [2, 100], held: [2] });
  });

  it('settle once, whoever comes how often', async () => {
    const limits = rules({ tokensPerMinute: 1_000, concurrent: 1 });
    await take(limits, { id: 'one', cost: tokens(800) });
    expect([await settle(limits, 'one', -700), await settle(limits, 'one', -700)]).toEqual([1, 0]);
    expect((await take(limits, { cost: tokens(1) })).reading).toMatchObject({ used: [101], held: [1] });
  });

  it('book no settlement whose reservation is gone', async () => {
    const limits = rules({ tokensPerMinute: 1_000 });
    await take(limits, { id: 'gone', cost: tokens(800) });
    await bench.redis.del(calls.take(limits, { id: 'gone', cost: tokens(0), notAfterMs: 0 }).keys[0] ?? '');
    expect(await settle(limits, 'gone', 5_000)).toBe(0);
    expect((await take(limits, { cost: tokens(0) })).reading.used).toEqual([800]);
  });

  it('add no more than one bucket of debt for one request, and all of it for many', async () => {
    const limits = rules({ tokensPerMinute: 1_000 });
    for (const id of ['a', 'b', 'c']) await take(limits, { id, cost: tokens(10) });
    for (const id of ['a', 'b', 'c']) await settle(limits, id, 500_000);
    bench.nowMs += 121_800;
    expect((await take(limits)).reading.used).toEqual([1_000]);
  });

  it('admit what is larger than the bucket when it is full, with its whole debt', async () => {
    const limits = rules({ tokensPerMinute: 600 });
    expect((await take(limits, { cost: tokens(6_000) })).reading.used).toEqual([6_000]);
    bench.nowMs += 539_000;
    expect((await take(limits, { cost: tokens(1) })).outcome).toBe('denied');
    bench.nowMs += 2_000;
    expect((await take(limits, { cost: tokens(1) })).outcome).toBe('granted');
  });

  it('take the same id twice for one request', async () => {
    const limits = rules({ requestsPerMinute: 10, concurrent: 10 });
    await take(limits, { id: 'same' });
    const again = await take(limits, { id: 'same' });
    expect(again).toMatchObject({ outcome: 'granted', reading: { used: [1], held: [1] } });
  });

  it('do nothing when they come too late', async () => {
    const limits = rules({ requestsPerMinute: 10 });
    const late = await take(limits, { notAfterMs: bench.nowMs - 1 });
    expect(late).toMatchObject({ outcome: 'late', serverMs: bench.nowMs });
    expect((await take(limits, { notAfterMs: bench.nowMs })).reading.used).toEqual([1]);
  });

  it('free the leases of whoever has stopped renewing them', async () => {
    const limits = rules({ concurrent: 2 });
    await take(limits, { id: 'dead' });
    await take(limits, { id: 'alive' });
    expect(await outcomes(1, limits)).toEqual(['denied']);
    bench.nowMs += leaseMs - 1;
    await bench.run('renew', calls.leases(limits), [leaseMs, 'alive']);
    expect(await outcomes(1, limits)).toEqual(['denied']);
    bench.nowMs += 2;
    expect(await outcomes(2, limits)).toEqual(['granted', 'denied']);
  });

  it('bring leases back that were lost', async () => {
    const limits = rules({ concurrent: 1 });
    await bench.run('renew', calls.leases(limits), [leaseMs, 'a', 'b', 'c']);
    expect((await take(limits)).reading.held).toEqual([3]);
  });

  it('lock nobody out when the clock steps back', async () => {
    const limits = rules({ requestsPerMinute: 60, concurrent: 100 });
    await outcomes(60, limits);
    bench.nowMs -= 3_600_000;
    expect(await outcomes(1, limits)).toEqual(['denied']);
    bench.nowMs += 1_000;
    expect(await outcomes(2, limits)).toEqual(['granted', 'denied']);
  });

  it('hold a lease no longer than its life when the clock steps back', async () => {
    const limits = rules({ concurrent: 1 });
    await take(limits, { id: 'dead' });
    bench.nowMs -= 3_600_000;
    expect(await outcomes(1, limits)).toEqual(['denied']);
    bench.nowMs += leaseMs + 1;
    expect(await outcomes(1, limits)).toEqual(['granted']);
  });

  it('give no more than a full bucket when the clock jumps forward', async () => {
    const limits = rules({ requestsPerMinute: 3 });
    await outcomes(3, limits);
    bench.nowMs += 86_400_000;
    expect(await outcomes(4, limits)).toEqual(['granted', 'granted', 'granted', 'denied']);
  });

  it('book what was allowed without them, once', async () => {
    const limits = rules({ requestsPerMinute: 10, tokensPerMinute: 100 });
    await take(limits, { cost: tokens(10) });
    const call = calls.charge(limits, { id: 'debt', amounts: [4, -3], owedAtMs: 0 });
    expect([await bench.run('charge', call.keys, call.args), await bench.run('charge', call.keys, call.args)]).toEqual([
      1, 0,
    ]);
    expect((await take(limits)).reading.used).toEqual([6, 7]);
  });

  it('book less of a debt that comes late: some of it would be back', async () => {
    const limits = rules({ requestsPerMinute: 60 });
    const call = calls.charge(limits, { id: 'late', amounts: [30], owedAtMs: bench.nowMs - 20_000 });
    await bench.run('charge', call.keys, call.args);
    expect((await take(limits)).reading.used).toEqual([11]);
  });

  it('count the replicas that have beaten lately', async () => {
    const key = `${bench.prefix}replicas`;
    const beat = async (name: string) => {
      const answer = await bench.run('beat', [key], [name, 5_000]);
      return Array.isArray(answer) ? answer.slice(1) : answer;
    };
    expect([await beat('a'), await beat('b'), await beat('a')]).toEqual([
      [1, 1],
      [2, 1],
      [2, 0],
    ]);
    bench.nowMs += 4_000;
    await beat('a');
    bench.nowMs += 1_001;
    expect(await beat('a')).toEqual([1, 0]);
    bench.nowMs -= 3_600_000;
    expect(await beat('b')).toEqual([1, 1]);
  });

  it('let every key expire', async () => {
    const limits = rules({ requestsPerMinute: 10, tokensPerDay: 100, concurrent: 1 });
    await take(limits, { cost: tokens(1) });
    const { keys } = calls.take(limits, { id: `r${ids - 1}`, cost: tokens(0), notAfterMs: 0 });
    const lives = await Promise.all(keys.map((key) => bench.redis.pttl(key)));
    expect(lives.every((ms) => ms > 0)).toBe(true);
    expect(lives).toHaveLength(4);
  });

  it('agree with the counters in memory, whatever happens', async () => {
    const step = fc.record({
      afterMs: fc.integer({ min: 0, max: 20_000 }),
      input: fc.integer({ min: 0, max: 150 }),
      output: fc.integer({ min: 0, max: 80 }),
      actual: fc.integer({ min: 0, max: 200 }),
      ends: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), async (steps) => {
        const limits = rules({ requestsPerMinute: 7, tokensPerMinute: 300, outputTokensPerMinute: 90, concurrent: 4 });
        const clock = fakeClock();
        const ledger = new Ledger(clock);
        let [lastMs, bookedUpTo] = [bench.nowMs, 0];
        for (const { afterMs, input, output, actual, ends } of steps) {
          clock.advance(afterMs);
          bench.nowMs = lastMs += afterMs;
          // A lease in memory does not expire, so here it must not come to that.
          const id = `p${ids++}`;
          const cost = tokens(input, output);
          const [there, here] = [await take(limits, { id, cost }), ledger.take(limits, cost)];
          expect(there.outcome).toBe(here.granted ? 'granted' : 'denied');
          for (const [n, used] of here.used.entries()) expect(there.reading.used[n]).toBeCloseTo(used, 3);
          if (!here.granted) continue;
          bookedUpTo += 1;
          const deltas = limits.rates.map(({ counts }) => (counts === 'requests' ? 0 : actual - 100));
          if (!ends) {
            await bench.redis.zrem(calls.leases(limits)[0] ?? '', id);
            ledger.release(limits);
            continue;
          }
          const call = calls.settle(limits, id, deltas);
          await bench.run('settle', call.keys, call.args);
          ledger.book(limits, deltas);
          ledger.release(limits);
        }
        expect(bookedUpTo).toBeGreaterThan(0);
      }),
      { numRuns: 60 },
    );
  });
});
