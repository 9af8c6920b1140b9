import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Rules } from '../../../src/access/rules.ts';
import { abandonWorker, ledgerMemory, sharedLedger, uncounted } from '../../../src/access/shared-ledger.ts';
import { fakeClock } from '../../support/fake-clock.ts';
import { ofTenant, rulesFor, tokens } from './support.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

/** The ledgers of two workers and of the main thread, and the smallest memory there is. */
function setting() {
  const memory = ledgerMemory({ rules: 1, workers: 2 });
  const clock = fakeClock();
  const [first, second] = [sharedLedger(memory, { clock, worker: 0 }), sharedLedger(memory, { clock, worker: 1 })];
  return { memory, clock, first, second, main: sharedLedger(memory, { clock }) };
}

const ofKey = (n: number) => rulesFor({ key: { requestsPerMinute: 1 }, keyId: String(n) })('m');
/** So many limits the smallest memory counts. */
const room = 768;

describe('a ledger in shared memory', () => {
  it('is one for all who open it, with rules of their own', () => {
    const { first, second, main } = setting();
    const limits = { requestsPerMinute: 3, concurrent: 2 };
    expect(first.take(ofTenant(limits), tokens(0)).granted).toBe(true);
    expect(second.take(ofTenant(limits), tokens(0))).toMatchObject({ granted: true, used: [2], held: [2] });
    expect(first.take(ofTenant(limits), tokens(0)).granted).toBe(false);
    const { rates, leases } = ofTenant(limits);
    expect([...rates, ...leases].map((rule) => main.used(rule))).toEqual([2, 2]);
    second.release(ofTenant(limits));
    expect(first.take(ofTenant(limits), tokens(0)).granted).toBe(true);
  });

  it('keeps every limit apart, as many as there is room for', () => {
    const { memory, first, second } = setting();
    for (let n = 0; n < room; n++) expect(first.take(ofKey(n), tokens(0)).granted).toBe(true);
    for (let n = 0; n < room; n++) expect(second.take(ofKey(n), tokens(0)).granted).toBe(false);
    expect([first.size, uncounted(memory)]).toEqual([room, 0]);
  });

  it('has room for twice the limits of the fleet', () => {
    const memory = ledgerMemory({ rules: 1_000, workers: 1 });
    const ledger = sharedLedger(memory, { clock: fakeClock() });
    for (let n = 0; n < 2_000; n++) ledger.take(ofKey(n), tokens(0));
    expect([ledger.size, uncounted(memory)]).toEqual([2_000, 0]);
  });

  it('is not opened for more workers than it was made for', () => {
    const { memory, clock } = setting();
    expect(() => sharedLedger(memory, { clock, worker: 2 })).toThrow(RangeError);
  });

  it('counts nothing twice whose time is a little behind', () => {
    const { memory, clock, first } = setting();
    const behind = sharedLedger(memory, { clock: { ...clock, now: () => clock.now() - 100 }, worker: 1 });
    const rules = ofTenant({ tokensPerMinute: 60_000 });
    first.take(rules, tokens(10_000));
    for (let n = 0; n < 50; n++) {
      behind.take(rules, tokens(1));
      first.take(rules, tokens(1));
    }
    expect(first.take(rules, tokens(0)).used).toEqual([10_100]);
  });
});

describe('a full ledger', () => {
  it('forgets what nobody has used for long, and nothing else', () => {
    const { memory, clock, first, second } = setting();
    const [day, running] = [ofTenant({ requestsPerDay: 1 }), rulesFor({ key: { concurrent: 1 }, keyId: 'r' })('m')];
    for (const rules of [day, running]) expect(first.take(rules, tokens(0)).granted).toBe(true);
    for (let n = 0; n < room - 2; n++) first.take(ofKey(n), tokens(0));
    expect(first.size).toBe(room);
    clock.advance(60_000);
    expect(second.take(ofKey(room), tokens(0)).granted).toBe(true);
    expect([first.size, uncounted(memory)]).toEqual([3, 0]);
    for (const rules of [day, running, ofKey(room)]) expect(first.take(rules, tokens(0)).granted).toBe(false);
  });

  it('lets through what it has no room to count, says so, and goes on counting the others', () => {
    const { memory, clock, first } = setting();
    clock.advance(60_000);
    for (let n = 0; n < room; n++) first.take(ofKey(n), tokens(0));
    const more = rulesFor({ key: { requestsPerMinute: 1, concurrent: 1 }, keyId: 'more' })('m');
    for (let n = 0; n < 3; n++) expect(first.take(more, tokens(0)).granted).toBe(true);
    for (let n = 0; n < 3; n++) first.end(more, tokens(0), tokens(0));
    expect(uncounted(memory)).toBeGreaterThan(0);
    for (let n = 0; n < room; n++) expect(first.take(ofKey(n), tokens(0)).granted).toBe(false);
    clock.advance(60_000);
    expect([first.take(more, tokens(0)).granted, first.take(more, tokens(0)).granted]).toEqual([true, false]);
  });
});

describe('a worker that has ended', () => {
  it('holds nothing any more, and what others hold they keep', () => {
    const { memory, first, second, main } = setting();
    const rules = ofTenant({ concurrent: 4 });
    for (const ledger of [first, second, first]) ledger.take(rules, tokens(0));
    abandonWorker(memory, 0);
    expect(rules.leases.map((rule) => main.used(rule))).toEqual([1]);
    abandonWorker(memory, 1);
    expect(rules.leases.map((rule) => main.used(rule))).toEqual([0]);
  });

  it('while it was booking keeps nobody waiting', () => {
    const { memory, clock, second } = setting();
    const wait = vi.spyOn(Atomics, 'wait');
    const limits = ofTenant({ requestsPerMinute: 3 });
    let granted: boolean | undefined;
    const now = () => {
      abandonWorker(memory, 0);
      granted = second.take(limits, tokens(0)).granted;
      return clock.now();
    };
    sharedLedger(memory, { clock: { ...clock, now }, worker: 0 }).take(limits, tokens(0));
    expect([granted, second.take(limits, tokens(0)).granted]).toEqual([true, true]);
    expect(wait).not.toHaveBeenCalled();
  });

  const rules = ofTenant({ requestsPerMinute: 9, tokensPerMinute: 90, concurrent: 3 });
  const used = (ledger: ReturnType<typeof sharedLedger>, { rates, leases }: Rules) =>
    [...rates, ...leases].map((rule) => ledger.used(rule));

  /** Ends a worker when it has written so much of what `run` writes; whether it came to that. */
  function endsAfter(writes: number, run: () => void): boolean {
    const store = Atomics.store.bind(Atomics);
    let left = writes;
    const spy = vi.spyOn(Atomics, 'store').mockImplementation((...args: Parameters<typeof store>) => {
      if (left-- === 0) throw new Error('the end');
      return store(...args);
    });
    try {
      run();
      return false;
    } catch {
      return true;
    } finally {
      spy.mockRestore();
    }
  }

  it('has booked each limit or has not, wherever it stopped', () => {
    const seen = new Set<string>();
    for (let writes = 0; ; writes++) {
      const { memory, first, second } = setting();
      const hasEnded = endsAfter(writes, () => first.take(rules, tokens(10)));
      abandonWorker(memory, 0);
      const [requests = 0, taken = 0, running = 0] = used(second, rules);
      seen.add(`${requests} ${taken}`);
      expect(running).toBe(0);
      for (let n = 0; n < 3; n++) expect(second.take(rules, tokens(10)).granted).toBe(true);
      expect(used(second, rules)).toEqual([requests + 3, taken + 30, 3]);
      if (!hasEnded) break;
    }
    expect([...seen]).toEqual(['0 0', '1 0', '1 10']);
  });

  it('has settled each limit or has not, wherever it stopped', () => {
    const seen = new Set<string>();
    for (let writes = 0; ; writes++) {
      const { first, second } = setting();
      first.take(rules, tokens(10));
      const hasEnded = endsAfter(writes, () => first.end(rules, tokens(10), undefined));
      seen.add(used(second, rules).slice(0, 2).join(' '));
      if (!hasEnded) break;
    }
    expect([...seen]).toEqual(['1 10', '0 10', '0 0']);
  });

  it('has taken nothing away when it stopped while it was making room', () => {
    for (let writes = 0; writes < 40; writes++) {
      const { memory, clock, first, second } = setting();
      for (let n = 0; n < 20; n++) first.take(rulesFor({ key: { requestsPerDay: 1 }, keyId: `d${n}` })('m'), tokens(0));
      for (let n = 0; n < room - 20; n++) first.take(ofKey(n), tokens(0));
      clock.advance(60_000);
      expect(endsAfter(writes, () => first.take(ofKey(room), tokens(0)))).toBe(true);
      abandonWorker(memory, 0);
      clock.advance(1_000);
      for (let n = 0; n < 20; n++) {
        const day = rulesFor({ key: { requestsPerDay: 1 }, keyId: `d${n}` })('m');
        expect(second.take(day, tokens(0)).granted).toBe(false);
      }
      expect(second.take(ofKey(room), tokens(0)).granted).toBe(true);
    }
  });
});
