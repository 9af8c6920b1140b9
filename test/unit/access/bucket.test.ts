// Against the other form of the same algorithm, virtual scheduling: it keeps the theoretical arrival time of the next
// cell (ITU-T I.371, annex A), here in whole milliseconds, so that it is exact.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { adjusted, type Bucket, costFor, fits, levelAt, shareOf, waitMs } from '../../../src/access/bucket.ts';
import { ofTenant, tokens } from './support.ts';

/** `intervalMs` for each unit; `capacity` units at once. */
class VirtualScheduling {
  readonly #intervalMs: number;
  readonly #toleranceMs: number;
  #arrivalMs = 0;

  constructor(intervalMs: number, capacity: number) {
    this.#intervalMs = intervalMs;
    this.#toleranceMs = capacity * intervalMs;
  }

  take(cost: number, nowMs: number): boolean {
    const startMs = Math.max(this.#arrivalMs, nowMs);
    const endMs = startMs + cost * this.#intervalMs;
    if (endMs - nowMs > this.#toleranceMs && startMs > nowMs) return false;
    this.#arrivalMs = endMs;
    return true;
  }
}

const arrivals = fc.array(fc.record({ afterMs: fc.nat(400), cost: fc.integer({ min: 1, max: 12 }) }), {
  minLength: 1,
  maxLength: 60,
});
const settings = fc.record({ intervalMs: fc.integer({ min: 1, max: 300 }), capacity: fc.integer({ min: 1, max: 8 }) });

describe('a bucket', () => {
  it('decides as virtual scheduling does, whatever comes when and costs what', () => {
    fc.assert(
      fc.property(settings, arrivals, fc.nat(1e9), ({ intervalMs, capacity }, requests, startMs) => {
        const rule = { capacity, perMs: 1 / intervalMs };
        const reference = new VirtualScheduling(intervalMs, capacity);
        let bucket: Bucket | undefined;
        let nowMs = startMs;
        for (const { afterMs, cost } of requests) {
          nowMs += afterMs;
          const level = levelAt(bucket, rule, nowMs);
          const granted = fits(level, cost, rule);
          expect(granted).toBe(reference.take(cost, nowMs));
          if (granted) bucket = { used: level + cost, atMs: nowMs };
        }
      }),
      { numRuns: 500 },
    );
  });

  it('has room after the wait it tells, and none a millisecond before', () => {
    fc.assert(
      fc.property(settings, fc.integer({ min: 1, max: 12 }), fc.nat(20), ({ intervalMs, capacity }, cost, used) => {
        const rule = { capacity, perMs: 1 / intervalMs };
        const bucket = { used, atMs: 0 };
        const wait = waitMs(used, cost, rule);
        const level = (atMs: number) => levelAt(bucket, rule, atMs);
        expect(fits(level(wait), cost, rule)).toBe(true);
        expect(fits(used, cost, rule)).toBe(wait < 1e-3);
        expect(wait > 1 && fits(level(wait - 1), cost, rule)).toBe(false);
      }),
    );
  });

  it('lets no more through in any time than it holds and gets back', () => {
    fc.assert(
      fc.property(settings, arrivals, ({ intervalMs, capacity }, requests) => {
        const rule = { capacity, perMs: 1 / intervalMs };
        const granted: { readonly atMs: number; readonly cost: number }[] = [];
        let bucket: Bucket | undefined;
        let nowMs = 0;
        for (const { afterMs, cost: any } of requests) {
          nowMs += afterMs;
          const cost = Math.min(any, capacity);
          const level = levelAt(bucket, rule, nowMs);
          if (!fits(level, cost, rule)) continue;
          bucket = { used: level + cost, atMs: nowMs };
          granted.push({ atMs: nowMs, cost });
        }
        for (const [first, { atMs }] of granted.entries()) {
          let sum = 0;
          for (const one of granted.slice(first)) {
            sum += one.cost;
            expect(sum).toBeLessThanOrEqual(capacity + (one.atMs - atMs) / intervalMs + 1e-6);
          }
        }
      }),
    );
  });

  it('stands still while the clock steps back', () => {
    expect(levelAt({ used: 5, atMs: 1_000 }, { perMs: 1 }, 900)).toBe(5);
  });

  it('is empty before anything was used, and never below that', () => {
    expect(levelAt(undefined, { perMs: 1 }, 0)).toBe(0);
    expect(levelAt({ used: 5, atMs: 0 }, { perMs: 1 }, 1e9)).toBe(0);
  });
});

describe('a level that is corrected', () => {
  const rule = { capacity: 10, perMs: 1 };
  it.each([
    ['what was not used comes back', 8, -5, 3],
    ['never more than was used', 3, -5, 0],
    ['more than was reserved leaves a debt', 8, 7, 15],
    ['of one bucket at most for one request', 8, 500, 18],
    ['beside older ones', 35, 1, 36],
    ['and shrinks by what comes back', 35, -5, 30],
  ])('%s', (_name, level, delta, left) => {
    expect(adjusted(level, delta, rule)).toBe(left);
  });
});

describe('the cost of a request', () => {
  it('is what the rule counts', () => {
    const { rates } = ofTenant({
      requestsPerMinute: 1,
      tokensPerMinute: 1,
      inputTokensPerMinute: 1,
      outputTokensPerMinute: 1,
    });
    expect(rates.map((rule) => costFor(rule, tokens(30, 4)))).toEqual([1, 34, 30, 4]);
  });
});

describe('a share of a rule', () => {
  it('is that part of what it holds and of what comes back', () => {
    const [rule] = ofTenant({ requestsPerMinute: 60 }).rates;
    if (rule === undefined) throw new Error('no rule');
    expect(shareOf(rule, 1)).toEqual({ capacity: 60, perMs: 0.001 });
    expect(shareOf(rule, 0.25)).toEqual({ capacity: 15, perMs: 0.000_25 });
  });
});
