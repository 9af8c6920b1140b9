import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RetryBudget } from '../../../src/routing/retry-budget.ts';

describe('the retry budget', () => {
  it('lets three be tried again at any time, and not a fourth', () => {
    const budget = new RetryBudget(0.2);
    const shares = [1, 2, 3, 4].map(() => budget.enter('m'));
    expect(shares.map((share) => share.take())).toEqual([true, true, true, false]);
  });

  it('lets a fifth of many be tried again', () => {
    const budget = new RetryBudget(0.2);
    const shares = Array.from({ length: 100 }, () => budget.enter('m'));
    expect(shares.filter((share) => share.take())).toHaveLength(20);
  });

  it('has room again when one that was tried again has ended', () => {
    const budget = new RetryBudget(0);
    const [a, b, c, d] = [1, 2, 3, 4].map(() => budget.enter('m'));
    for (const share of [a, b, c]) share?.take();
    expect(d?.take()).toBe(false);
    a?.leave();
    a?.leave();
    expect(d?.take()).toBe(true);
  });

  it('charges a request once, however often it is tried', () => {
    const budget = new RetryBudget(0);
    const [a, b, c, d] = [1, 2, 3, 4].map(() => budget.enter('m'));
    for (let n = 0; n < 5; n++) expect(a?.take()).toBe(true);
    expect([b?.take(), c?.take(), d?.take()]).toEqual([true, true, false]);
  });

  it('is one for each model', () => {
    const budget = new RetryBudget(0);
    for (let n = 0; n < 3; n++) budget.enter('a').take();
    expect(budget.enter('a').take()).toBe(false);
    expect(budget.enter('b').take()).toBe(true);
  });

  it('forgets a model of which nothing runs, whatever came before', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { maxLength: 50 }), (taken) => {
        const budget = new RetryBudget(0.2);
        const shares = taken.map(() => budget.enter('m'));
        for (const [n, take] of taken.entries()) if (take) shares[n]?.take();
        for (const share of shares) share.leave();
        expect(budget.size).toBe(0);
      }),
    );
  });
});
