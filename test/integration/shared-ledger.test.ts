// Real threads on one ledger: what is granted by all of them together, and what becomes of it when one ends.
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { afterEach, describe, expect, it } from 'vitest';
import { abandonWorker, ledgerMemory, sharedLedger } from '../../src/access/shared-ledger.ts';
import type { Limits } from '../../src/fleet/fleet.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { flags, type Task, type ThreadMessage, type ThreadWishes } from '../support/ledger-thread.ts';
import { rulesFor, tokens } from '../unit/access/support.ts';

const threads: Worker[] = [];
afterEach(async () => {
  await Promise.all(threads.splice(0).map((thread) => thread.terminate()));
});

function setting(limits: Limits) {
  const memory = ledgerMemory({ rules: 1, workers: 4 });
  const shared = new SharedArrayBuffer(4 * Object.keys(flags).length);
  const words = new Int32Array(shared);
  const start = (worker: number, task: Task, times: number) => {
    const workerData: ThreadWishes = { memory, flags: shared, worker, task, times, limits };
    const thread = new Worker(new URL('../support/ledger-thread.ts', import.meta.url), { workerData });
    threads.push(thread);
    return { thread, ready: hears(thread, 'ready'), done: count(thread) };
  };
  const tell = (flag: keyof typeof flags) => {
    Atomics.store(words, flags[flag], 1);
    Atomics.notify(words, flags[flag]);
  };
  /** Four threads at once; how much each was granted. */
  const all = async (task: Task, times: number) => {
    const started = [0, 1, 2, 3].map((worker) => start(worker, task, times));
    await Promise.all(started.map(({ ready }) => ready));
    tell('go');
    return Promise.all(started.map(({ done }) => done));
  };
  const rules = rulesFor({ ofTenant: limits })('m');
  const ledger = sharedLedger(memory, { clock: fakeClock() });
  const used = () => [...rules.rates, ...rules.leases].map((rule) => ledger.used(rule));
  return { memory, words, start, tell, all, rules, ledger, used };
}

async function hears(thread: Worker, wanted: ThreadMessage): Promise<void> {
  for (;;) {
    const [message] = await once(thread, 'message');
    if (message === wanted) return;
  }
}

function count(thread: Worker): Promise<number> {
  return new Promise((resolve, reject) => {
    thread.on('message', (message: ThreadMessage) => typeof message === 'number' && resolve(message));
    thread.once('error', reject);
  });
}

const sum = (counts: readonly number[]) => counts.reduce((all, one) => all + one, 0);

describe('four threads', () => {
  it('are granted exactly the limit together', async () => {
    const { all, used } = setting({ requestsPerMinute: 3_000, tokensPerMinute: 1e9 });
    expect(sum(await all('take', 5_000))).toBe(3_000);
    expect(used()).toEqual([3_000, 15_000]);
  });

  it('lose nothing of what each takes and settles', async () => {
    const { all, used } = setting({ tokensPerMinute: 1e9, requestsPerDay: 1e9, concurrent: 100 });
    expect(await all('take and settle', 2_000)).toEqual([2_000, 2_000, 2_000, 2_000]);
    expect(used()).toEqual([16_000, 8_000, 0]);
  });

  it('never run more at once than the limit, and hold nothing at the end', async () => {
    const { all, used, words } = setting({ concurrent: 1 });
    expect(sum(await all('run', 10_000))).toBeGreaterThan(0);
    expect(words[flags.most]).toBe(1);
    expect(used()).toEqual([0]);
  });
});

describe('a thread that is ended', () => {
  it('while its requests run gives back what they held', async () => {
    const { memory, start, tell, rules, ledger, used } = setting({ concurrent: 5 });
    const { thread, ready } = start(2, 'hold', 3);
    await ready;
    const held = hears(thread, 'held');
    tell('go');
    await held;
    expect([1, 2, 3].map(() => ledger.take(rules, tokens(0)).granted)).toEqual([true, true, false]);
    await thread.terminate();
    expect(used()).toEqual([5]);
    abandonWorker(memory, 2);
    expect(used()).toEqual([2]);
    expect([1, 2, 3, 4].map(() => ledger.take(rules, tokens(0)).granted)).toEqual([true, true, true, false]);
  });

  it('while it is booking keeps nobody out once that is said', async () => {
    const { memory, start, tell } = setting({ requestsPerMinute: 10 });
    const { thread, ready } = start(0, 'stop inside', 1);
    await ready;
    const inside = hears(thread, 'inside');
    tell('go');
    await inside;
    const other = start(1, 'take', 20);
    await other.ready;
    await thread.terminate();
    abandonWorker(memory, 0);
    expect(await other.done).toBe(10);
  });

  it('while it is booking keeps nobody out for good even when nobody says so', async () => {
    const { start, tell } = setting({ requestsPerMinute: 10 });
    const { thread, ready } = start(0, 'stop inside', 1);
    await ready;
    const inside = hears(thread, 'inside');
    tell('go');
    await inside;
    await thread.terminate();
    expect(sum(await Promise.all([1, 2].map((worker) => start(worker, 'take', 20).done)))).toBe(10);
  });

  it('at any moment leaves a ledger that goes on', async () => {
    const { memory, start, tell, ledger, used } = setting({ requestsPerMinute: 1e6, tokensPerDay: 1e9, concurrent: 9 });
    tell('go');
    const survivor = start(0, 'hammer', Infinity);
    const others = [1, 2].map((worker) => start(worker, 'hammer', Infinity));
    await survivor.ready;
    for (let round = 0; round < 4; round++) {
      for (const [n, { thread, ready }] of others.entries()) {
        await ready;
        await thread.terminate();
        abandonWorker(memory, n + 1);
        others[n] = start(n + 1, 'hammer', Infinity);
      }
    }
    tell('stop');
    expect(await survivor.done).toBeGreaterThan(0);
    await Promise.all(others.map(({ done }) => done));
    for (let n = 0; n < 1_000; n++) {
      const { rates, leases } = rulesFor({ key: { requestsPerMinute: 1e6, concurrent: 9 }, keyId: String(n) })('m');
      expect(leases.map((rule) => ledger.used(rule))).toEqual([0]);
      for (const rule of rates) expect(Number.isFinite(ledger.used(rule))).toBe(true);
    }
    expect(used()).toEqual([0, 0, 0]);
  });
});
