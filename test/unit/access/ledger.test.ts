import { expect, describe, it } from 'vitest';
import { Ledger, leasesOf } from '../../../src/access/ledger.ts';
import type { Rules } from '../../../src/access/rules.ts';
import { fakeClock } from '../../support/fake-clock.ts';
import { ofTenant, rulesFor, tokens } from './support.ts';

function setting() {
  const clock = fakeClock();
  const ledger = new Ledger(clock);
  const take = (rules: Rules) => ledger.take(rules, tokens(0)).granted;
  return { clock, ledger, take };
}

describe('requests at the same time', () => {
  it('are at least one for a replica alone, however small its share', () => {
    expect([leasesOf(10, 1), leasesOf(10, 0.25), leasesOf(3, 1 / 3), leasesOf(1, 0.1)]).toEqual([10, 2, 1, 1]);
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
