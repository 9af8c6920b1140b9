// The generic cell rate algorithm in its continuous-state form (ITU-T I.371, annex A): a bucket that fills with what is
// used and leaks at the allowed rate. Exact in burst and rate, and one small state per limit. redis/scripts/prelude.lua
// is the same in Lua.
import type { Cost } from './limiter.ts';
import type { RateRule } from './rules.ts';

export interface Bucket {
  /** What is used and has not come back; above the capacity after a request that was larger than the bucket. */
  readonly used: number;
  readonly atMs: number;
}

/** Sums of fractions miss a whole number by less than this. */
const tolerance = 1e-6;

/** A rule as one of several replicas applies it while it can't ask the others: `share` is 1 for the whole of it. */
export interface Effective {
  readonly capacity: number;
  readonly perMs: number;
}

export function shareOf({ capacity, perMs }: RateRule, share: number): Effective {
  return { capacity: capacity * share, perMs: perMs * share };
}

/** A clock that has stepped back counts as one that stood still. */
export function levelAt(bucket: Bucket | undefined, { perMs }: Pick<Effective, 'perMs'>, nowMs: number): number {
  if (bucket === undefined) return 0;
  return Math.max(0, bucket.used - Math.max(0, nowMs - bucket.atMs) * perMs);
}

/** What costs more than the bucket holds fits when nothing is used, and leaves a debt. */
export function fits(level: number, cost: number, { capacity }: Effective): boolean {
  return level + cost <= capacity + tolerance || level <= tolerance;
}

/** Milliseconds until `cost` fits. */
export function waitMs(level: number, cost: number, { capacity, perMs }: Effective): number {
  return Math.max(0, (level - Math.max(0, capacity - cost)) / perMs);
}

/** The level after the end of one request was booked, which adds no more than one bucket of debt. */
export function adjusted(level: number, delta: number, { capacity }: Effective): number {
  return Math.max(0, level + Math.min(delta, capacity));
}

/** Rounded up, but not for what a sum of fractions is off. */
export function wholeMs(ms: number): number {
  return Math.max(0, Math.ceil(ms - 1e-3));
}

export function costFor({ counts }: RateRule, { inputTokens, outputTokens }: Cost): number {
  switch (counts) {
    case 'requests':
      return 1;
    case 'tokens':
      return inputTokens + outputTokens;
    case 'input':
      return inputTokens;
    case 'output':
      return outputTokens;
    default:
      return counts satisfies never;
  }
}
