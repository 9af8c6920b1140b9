import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RetryBudget } from '../../../src/routing/retry-budget.ts';

describe('the retry budget', () => {
  it('lets three be tried again at any time, and not a fourth', () => {
    const budget = new RetryBudget(0.2);
    const shares = [1, 2, 3, 4].map(() => budget.enter('m', 100));
    expect(shares.map((share) => share.take())).toEqual([true, true, true, false]);
  });

  it('lets so many be tried again that they are a fifth of those that are not', () => {
    const budget = new RetryBudget(0.2);
    const shares = Array.from({ length: 100 }, () => budget.enter('m', 100));
    expect(shares.filter((share) => share.take())).toHaveLength(17);
  });

  it('has room again when one that was tried again has ended', () => {
    const budget = new RetryBudget(0);
    const [a, b, c, d] = [1, 2, 3, 4].map(() => budget.enter('m', 100));
    for (const share of [a, b, c]) share?.take();
    expect(d?.take()).toBe(false);
    a?.leave();
    a?.leave();
    expect(d?.take()).toBe(true);
  });

  it('charges a request once, however often it is tried', () => {
    const budget = new RetryBudget(0);
    const [a, b, c, d] = [1, 2, 3, 4].map(() => budget.enter('m', 100));
    for (let n = 0; n < 5; n++) expect(a?.take()).toBe(true);
    expect([b?.take(), c?.take(), d?.take()]).toEqual([true, true, false]);
  });

  it('lets one huge prompt be tried again, and not a second one beside it', () => {
    const budget = new RetryBudget(0.2);
    const [a, b, small] = [150_000, 150_000, 500].map((tokens) => budget.enter('m', tokens));
    expect([a?.take(), b?.take(), small?.take()]).toEqual([true, false, false]);
    a?.leave();
    expect([small?.take(), b?.take()]).toEqual([true, false]);
    small?.leave();
    expect(b?.take()).toBe(true);
  });

  it('counts prompt tokens in the same way', () => {
    const budget = new RetryBudget(0.2);
    const shares = Array.from({ length: 100 }, () => budget.enter('m', 10_000));
    const [huge] = [budget.enter('m', 150_000)];
    expect(shares.slice(0, 10).every((share) => share.take())).toBe(true);
    expect(huge.take()).toBe(false);
    expect(shares.slice(10).filter((share) => share.take())).toHaveLength(7);
  });

  it('has no end where all may be tried again', () => {
    const budget = new RetryBudget(1);
    const shares = Array.from({ length: 50 }, () => budget.enter('m', 50_000));
    expect(shares.every((share) => share.take())).toBe(true);
  });

  it('is one for each model', () => {
    const budget = new RetryBudget(0);
    for (let n = 0; n < 3; n++) budget.enter('a', 100).take();
    expect(budget.enter('a', 100).take()).toBe(false);
    expect(budget.enter('b', 100).take()).toBe(true);
  });

  it('forgets a model of which nothing runs, whatever came before', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { maxLength: 50 }), (taken) => {
        const budget = new RetryBudget(0.2);
        const shares = taken.map(() => budget.enter('m', 100));
        for (const [n, take] of taken.entries()) if (take) shares[n]?.take();
        for (const share of shares) share.leave();
        expect(budget.size).toBe(0);
      }),
    );
  });
});
