// What every ledger promises: of one thread alone, and of several in shared memory.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Ledger } from '../../src/access/ledger.ts';
import type { Rules } from '../../src/access/rules.ts';
import { ledgerMemory, sharedLedger } from '../../src/access/shared-ledger.ts';
import type { Clock } from '../../src/clock.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { ofTenant, rulesFor, tokens } from '../unit/access/support.ts';

const nothing = tokens(0);

const kinds: readonly (readonly [name: string, open: (clock: Clock) => Ledger])[] = [
  ['of one thread', (clock) => new Ledger(clock)],
  ['in shared memory', (clock) => sharedLedger(ledgerMemory({ rules: 10, workers: 3 }), { clock, worker: 1 })],
];

describe.each(kinds)('a ledger %s', (_name, open) => {
  function setting() {
    const clock = fakeClock();
    const ledger = open(clock);
    const take = (rules: Rules, cost = nothing) => ledger.take(rules, cost).granted;
    /** How many of so many in a row are granted. */
    const granted = (rules: Rules, attempts: number) =>
      Array.from({ length: attempts }, () => take(rules)).filter((one) => one).length;
    return { clock, ledger, take, granted };
  }

  describe('an allowance per minute', () => {
    it('is there at once, and then comes back bit by bit: five, and one every 12 seconds', () => {
      const { clock, granted } = setting();
      const rules = ofTenant({ requestsPerMinute: 5 });
      expect(granted(rules, 7)).toBe(5);
      for (let n = 0; n < 20; n++) {
        clock.advance(11_999);
        expect(granted(rules, 2)).toBe(0);
        clock.advance(1);
        expect(granted(rules, 2)).toBe(1);
      }
      clock.advance(60_000);
      expect(granted(rules, 7)).toBe(5);
      clock.advance(1e9);
      expect(granted(rules, 7)).toBe(5);
    });

    it('is there only as far as its burst goes', () => {
      const { clock, granted } = setting();
      const rules = ofTenant({ requestsPerMinute: 120, burst: { requests: 1 } });
      expect(granted(rules, 3)).toBe(1);
      clock.advance(499);
      expect(granted(rules, 1)).toBe(0);
      clock.advance(1);
      expect(granted(rules, 3)).toBe(1);
    });
  });

  describe('an allowance per day', () => {
    it('rolls: it comes back by the hour, not at midnight', () => {
      const { clock, granted } = setting();
      const rules = ofTenant({ requestsPerDay: 24 });
      expect(granted(rules, 30)).toBe(24);
      for (let hour = 0; hour < 30; hour++) {
        clock.advance(3_600_000 - 1_000);
        expect(granted(rules, 2)).toBe(0);
        clock.advance(1_000);
        expect(granted(rules, 2)).toBe(1);
      }
    });
  });

  describe('a request that costs more than there ever is', () => {
    const rules = ofTenant({ tokensPerMinute: 60 });

    it('is granted when nothing is used, and leaves a debt', () => {
      const { clock, take } = setting();
      expect(take(rules, tokens(180))).toBe(true);
      clock.advance(120_000);
      expect(take(rules, tokens(1))).toBe(false);
      clock.advance(1_000);
      expect(take(rules, tokens(1))).toBe(true);
    });

    it('is refused as long as anything is used', () => {
      const { clock, take } = setting();
      expect(take(rules, tokens(2))).toBe(true);
      expect(take(rules, tokens(61))).toBe(false);
      clock.advance(1_999);
      expect(take(rules, tokens(61))).toBe(false);
      clock.advance(1);
      expect(take(rules, tokens(61))).toBe(true);
    });
  });

  describe('a refused request', () => {
    it.each([
      ['tokens', { requestsPerMinute: 2, tokensPerMinute: 10, concurrent: 2 }],
      ['tokens of a day', { requestsPerMinute: 2, tokensPerDay: 10, concurrent: 2 }],
      ['input tokens', { requestsPerMinute: 2, inputTokensPerMinute: 10, concurrent: 2 }],
    ])('costs nothing of any limit (%s)', (_name, limits) => {
      const { ledger, take } = setting();
      const rules = ofTenant(limits);
      expect(take(rules, tokens(6))).toBe(true);
      const before = ledger.take(rules, tokens(6));
      for (let n = 0; n < 50; n++) take(rules, tokens(6));
      expect(ledger.take(rules, tokens(6))).toEqual(before);
      expect(before).toMatchObject({ granted: false, used: [1, 6], held: [1] });
      expect(take(rules, tokens(4))).toBe(true);
    });

    it('costs nothing of the limits of another scope', () => {
      const { take, granted } = setting();
      const rules = rulesFor({ key: { requestsPerMinute: 1 }, keyId: 'k', ofTenant: { requestsPerMinute: 3 } })('m');
      expect(granted(rules, 9)).toBe(1);
      const other = rulesFor({ keyId: 'l', ofTenant: { requestsPerMinute: 3 } })('m');
      expect(granted(other, 9)).toBe(2);
      expect(take(rules)).toBe(false);
    });

    it('for being one too many at the same time costs no request', () => {
      const { ledger, granted } = setting();
      const rules = ofTenant({ requestsPerMinute: 2, concurrent: 1 });
      expect(granted(rules, 9)).toBe(1);
      ledger.end(rules, nothing, nothing);
      expect(granted(rules, 9)).toBe(1);
      ledger.end(rules, nothing, nothing);
      expect(granted(rules, 9)).toBe(0);
    });
  });

  describe('requests at the same time', () => {
    it('are counted while they run', () => {
      const { ledger, granted } = setting();
      const rules = ofTenant({ concurrent: 3 });
      expect(granted(rules, 5)).toBe(3);
      ledger.end(rules, nothing, nothing);
      ledger.end(rules, nothing, undefined);
      expect(granted(rules, 5)).toBe(2);
    });

    it('are not forgotten however long they run', () => {
      const { clock, granted } = setting();
      const rules = ofTenant({ concurrent: 1 });
      expect(granted(rules, 1)).toBe(1);
      clock.advance(1e9);
      expect(granted(rules, 1)).toBe(0);
    });
  });

  describe('what the end changes', () => {
    it('is the difference to what was taken', () => {
      const { ledger } = setting();
      const rules = ofTenant({ requestsPerMinute: 9, tokensPerMinute: 100, outputTokensPerMinute: 100 });
      ledger.take(rules, tokens(10, 50));
      ledger.end(rules, tokens(10, 50), tokens(12, 5));
      expect(ledger.take(rules, nothing).used).toEqual([2, 17, 5]);
    });

    it('counts from the time it was taken: what came back meanwhile is not given back twice', () => {
      const { clock, ledger } = setting();
      const rules = ofTenant({ tokensPerMinute: 60 });
      ledger.take(rules, tokens(30));
      clock.advance(10_000);
      ledger.end(rules, tokens(30), tokens(25));
      expect(ledger.take(rules, nothing).used).toEqual([15]);
      ledger.end(rules, tokens(30), undefined);
      expect(ledger.take(rules, nothing).used).toEqual([0]);
    });
  });

  describe('of which other replicas know but a part', () => {
    const rules = ofTenant({ tokensPerMinute: 600 });
    const [rate] = rules.rates;
    if (rate === undefined) throw new Error('no rate');
    const half = { share: 0.5 };

    it('owes them what it has allowed by itself, once', () => {
      const { ledger } = setting();
      ledger.take(rules, tokens(100), { ...half, owed: true });
      ledger.book(rules, [-40], { ...half, owed: true });
      expect([ledger.takeOwed(rate), ledger.takeOwed(rate)]).toEqual([60, 0]);
      expect(ledger.used(rate)).toBe(120);
    });

    it('owes them nothing of what they were told', () => {
      const { ledger } = setting();
      ledger.take(rules, tokens(100), half);
      ledger.book(rules, [50], half);
      expect(ledger.takeOwed(rate)).toBe(0);
      ledger.take(rules, tokens(30), { ...half, owed: true });
      ledger.book(rules, [20], half);
      expect(ledger.takeOwed(rate)).toBe(30);
    });

    it('owes them nothing of what has come back meanwhile', () => {
      const { clock, ledger } = setting();
      ledger.take(rules, tokens(100), { ...half, owed: true });
      clock.advance(10_000);
      expect(ledger.takeOwed(rate)).toBe(50);
      ledger.take(rules, tokens(10), { ...half, owed: true });
      clock.advance(1e6);
      expect(ledger.takeOwed(rate)).toBe(0);
    });

    it('owes them all of it where what they know of comes back first', () => {
      const { clock, ledger } = setting();
      ledger.mirror(rules, [100], 0.5);
      ledger.take(rules, tokens(50), { ...half, owed: true });
      clock.advance(20_000);
      expect([ledger.used(rate), ledger.takeOwed(rate)]).toEqual([100, 50]);
    });

    it('has too much from them for what it gives back by itself', () => {
      const { ledger } = setting();
      ledger.take(rules, tokens(100), half);
      ledger.book(rules, [-70], { ...half, owed: true });
      expect(ledger.takeOwed(rate)).toBe(-70);
    });

    it('keeps what it owes on top of what they tell', () => {
      const { ledger } = setting();
      ledger.take(rules, tokens(100), { ...half, owed: true });
      ledger.mirror(rules, [20], 0.5);
      expect(ledger.used(rate)).toBe(240);
      ledger.mirror(rules, [10], 0.5);
      expect(ledger.takeOwed(rate)).toBe(100);
      ledger.mirror(rules, [110], 0.5);
      expect(ledger.used(rate)).toBe(220);
    });

    it('owes nothing under a limit that it does not know', () => {
      expect(setting().ledger.takeOwed(rate)).toBe(0);
    });
  });
});

describe('ledgers of both kinds', () => {
  const limits = { requestsPerMinute: 7, tokensPerMinute: 300, outputTokensPerMinute: 90, concurrent: 4 };
  const choices = [
    ofTenant(limits),
    rulesFor({ key: { requestsPerMinute: 4, concurrent: 2 }, keyId: 'k', ofTenant: limits })('m'),
    rulesFor({ ofTenant: limits, modelLimits: { small: { tokensPerDay: 500, requestsPerDay: 3 } } })('small'),
  ];
  const amount = fc.integer({ min: 0, max: 200 });
  const step = fc.record({
    afterMs: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 90_000 })),
    who: fc.nat(choices.length - 1),
    what: fc.constantFrom('take', 'take', 'take', 'end', 'book', 'mirror', 'hold', 'release', 'owed'),
    cost: fc.record({ inputTokens: amount, outputTokens: amount }),
    actual: fc.option(fc.record({ inputTokens: amount, outputTokens: amount }), { nil: undefined }),
    terms: fc.record({ share: fc.constantFrom(1, 0.5, 1 / 3), owed: fc.boolean() }),
  });

  it('show the same numbers whatever happens', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 60 }), (steps) => {
        const clock = fakeClock();
        const [own, shared] = kinds.map(([, open]) => open(clock));
        if (own === undefined || shared === undefined) throw new Error('not two kinds');
        for (const { afterMs, who, what, cost, actual, terms } of steps) {
          clock.advance(afterMs);
          const rules = choices[who] ?? ofTenant(limits);
          const amounts = rules.rates.map((_rule, n) => (n % 2 === 0 ? cost.inputTokens : -cost.outputTokens));
          const act = (ledger: Ledger): unknown => {
            switch (what) {
              case 'take':
                return ledger.take(rules, cost, terms);
              case 'end':
                return ledger.end(rules, cost, actual);
              case 'book':
                return ledger.book(rules, amounts, terms);
              case 'mirror':
                return ledger.mirror(rules, amounts.map(Math.abs), terms.share);
              case 'hold':
                return ledger.hold(rules);
              case 'release':
                return ledger.release(rules);
              case 'owed':
                return rules.rates.map((rule) => ledger.takeOwed(rule));
              default:
                return what satisfies never;
            }
          };
          expect(act(shared)).toEqual(act(own));
          for (const rule of [...rules.rates, ...rules.leases]) expect(shared.used(rule)).toBe(own.used(rule));
        }
      }),
      { numRuns: 300 },
    );
  });
});
