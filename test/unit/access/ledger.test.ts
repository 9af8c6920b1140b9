import { describe, expect, it } from 'vitest';
import { Ledger, leasesOf } from '../../../src/access/ledger.ts';
import type { Rules } from '../../../src/access/rules.ts';
import { fakeClock } from '../../support/fake-clock.ts';
import { ofTenant, rulesFor, tokens } from './support.ts';

const nothing = tokens(0);

function setting() {
  const clock = fakeClock();
  const ledger = new Ledger(clock);
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

  it('are at least one for a replica alone, however small its share', () => {
    expect([leasesOf(10, 1), leasesOf(10, 0.25), leasesOf(3, 1 / 3), leasesOf(1, 0.1)]).toEqual([10, 2, 1, 1]);
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

describe('counters', () => {
  const ofKey = (n: number) => rulesFor({ key: { requestsPerMinute: 60, concurrent: 1 }, keyId: String(n) })('m');

  it('are forgotten once nothing of them is used', () => {
    const { clock, ledger, take } = setting();
    for (let n = 0; n < 4_095; n++) {
      const rules = ofKey(n);
      take(rules);
      ledger.release(rules);
    }
    expect(ledger.size).toBe(4_095);
    clock.advance(1_000);
    take(ofKey(9_999));
    // The bucket and the request that still runs.
    expect(ledger.size).toBe(2);
  });

  it('are kept as long as anything of them is used', () => {
    const { clock, ledger, take } = setting();
    const day = ofTenant({ requestsPerDay: 1 });
    take(day);
    clock.advance(3_600_000);
    for (let n = 0; n < 4_096; n++) take(rulesFor({ key: { requestsPerMinute: 1 }, keyId: String(n) })('m'));
    expect(take(day)).toBe(false);
    expect(ledger.size).toBeGreaterThan(1);
  });
});
