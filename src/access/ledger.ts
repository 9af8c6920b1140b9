// Counters of limits in memory: all that one replica knows. Synchronous, so that a check and its booking are one step.
import type { Clock } from '../clock.ts';
import { adjusted, type Bucket, costFor, type Effective, fits, levelAt, shareOf } from './bucket.ts';
import type { Cost } from './limiter.ts';
import type { RateRule, Rule, Rules } from './rules.ts';

/** How the counters stand: after the request when it was granted, without it when it was not. In the order of the rules. */
export interface Reading {
  readonly granted: boolean;
  readonly used: readonly number[];
  readonly held: readonly number[];
  /** The part of each limit that applied, above 0 and at most 1. */
  readonly share: number;
}

/** Full buckets are forgotten after this many requests. */
const sweepEvery = 4096;

export class Ledger {
  readonly #clock: Clock;
  readonly #buckets = new Map<string, { readonly leaks: Effective; readonly share: number; readonly bucket: Bucket }>();
  readonly #held = new Map<string, number>();
  #untilSweep = sweepEvery;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Checks every limit, then books all of them or none. */
  take(rules: Rules, cost: Cost, share = 1): Reading {
    const nowMs = this.#clock.now();
    const found = rules.rates.map((rule) => this.#level(rule, { share, nowMs }));
    const held = rules.leases.map((rule) => this.#held.get(rule.id) ?? 0);
    const granted =
      rules.rates.every((rule, n) => fits(found[n] ?? 0, costFor(rule, cost), shareOf(rule, share))) &&
      rules.leases.every(({ limit }, n) => (held[n] ?? 0) < leasesOf(limit, share));
    if (!granted) return { granted, used: found, held, share };
    const used = rules.rates.map((rule, n) => (found[n] ?? 0) + costFor(rule, cost));
    this.mirror(rules, used, share);
    this.hold(rules);
    this.#sweepSometimes(nowMs);
    return { granted, used, held: held.map((count) => count + 1), share };
  }

  /** Ends what `take` has granted; without an actual cost all of it is given back. */
  end(rules: Rules, reserved: Cost, actual: Cost | undefined): void {
    this.book(rules, differences(rules, reserved, actual));
    this.release(rules);
  }

  /** Adds to what is used, in the order of the rates. */
  book(rules: Rules, deltas: readonly number[], share = 1): void {
    const nowMs = this.#clock.now();
    for (const [n, rule] of rules.rates.entries()) {
      const used = adjusted(this.#level(rule, { share, nowMs }), deltas[n] ?? 0, shareOf(rule, share));
      this.#buckets.set(rule.id, { leaks: shareOf(rule, share), share, bucket: { used, atMs: nowMs } });
    }
  }

  /** Takes over levels that are known from elsewhere. */
  mirror(rules: Rules, used: readonly number[], share: number): void {
    const atMs = this.#clock.now();
    for (const [n, rule] of rules.rates.entries())
      this.#buckets.set(rule.id, { leaks: shareOf(rule, share), share, bucket: { used: used[n] ?? 0, atMs } });
  }

  bucketOf({ id }: RateRule): Bucket | undefined {
    return this.#buckets.get(id)?.bucket;
  }

  /** How much of a limit is used now, as part of the whole of it where this replica applies but a share. */
  used(rule: Rule): number {
    if (!('perMs' in rule)) return this.#held.get(rule.id) ?? 0;
    const kept = this.#buckets.get(rule.id);
    if (kept === undefined) return 0;
    const { bucket, share } = kept;
    return levelAt(bucket, shareOf(rule, share), this.#clock.now()) / share;
  }

  hold(rules: Rules): void {
    for (const rule of rules.leases) {
      this.#held.set(rule.id, (this.#held.get(rule.id) ?? 0) + 1);
    }
  }

  release(rules: Rules): void {
    for (const rule of rules.leases) {
      const left = (this.#held.get(rule.id) ?? 0) - 1;
      if (left > 0) this.#held.set(rule.id, left);
      else this.#held.delete(rule.id);
    }
  }

  /** Counters kept; for tests. */
  get size(): number {
    return this.#buckets.size + this.#held.size;
  }

  #level(rule: RateRule, { share, nowMs }: { share: number; nowMs: number }): number {
    return levelAt(this.#buckets.get(rule.id)?.bucket, shareOf(rule, share), nowMs);
  }

  #sweepSometimes(nowMs: number): void {
    if (--this.#untilSweep > 0) return;
    this.#untilSweep = sweepEvery;
    for (const [key, { leaks, bucket }] of this.#buckets)
      if (levelAt(bucket, leaks, nowMs) === 0) this.#buckets.delete(key);
  }
}

/** At least one, so that a small limit does not shut anybody out. */
export function leasesOf(limit: number, share: number): number {
  return Math.max(1, Math.floor(limit * share + 1e-9));
}

/** What the end changes about what was taken, in the order of the rates. */
export function differences(rules: Rules, reserved: Cost, actual: Cost | undefined): readonly number[] {
  return rules.rates.map((rule) => (actual === undefined ? 0 : costFor(rule, actual)) - costFor(rule, reserved));
}

/** What a request takes, in the order of the rates. */
export function costs({ rates }: Rules, cost: Cost): readonly number[] {
  return rates.map((rule) => costFor(rule, cost));
}
