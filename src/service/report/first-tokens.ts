// How long a backend takes to its first token: quantiles over the last five minutes, from counts in ten slices of half a minute.
// Buckets grow by a tenth, so a quantile is off by at most 5 %, and memory is bounded whatever the load.

const sliceMs = 30_000;
const slices = 10;
const growth = Math.log(1.1);
/** From 1 ms to above an hour. */
const buckets = Math.ceil(Math.log(3_600_000) / growth) + 1;

interface Slice {
  number: number;
  readonly counts: Uint32Array;
}

export class FirstTokens {
  readonly #slices: Slice[] = [];

  add(ms: number, nowMs: number): void {
    const bucket = Math.min(buckets - 1, Math.max(0, Math.round(Math.log(Math.max(1, ms)) / growth)));
    const { counts } = this.#slice(Math.floor(nowMs / sliceMs));
    counts[bucket] = (counts[bucket] ?? 0) + 1;
  }

  /** Whole milliseconds, in the order of the shares asked for; null: no stream has come. */
  quantiles(shares: readonly number[], nowMs: number): readonly (number | null)[] {
    const oldest = Math.floor(nowMs / sliceMs) - slices;
    const recent = this.#slices.filter(({ number }) => number > oldest);
    if (recent.length === 0) return shares.map(() => null);
    const sums = new Uint32Array(buckets);
    let total = 0;
    for (const { counts } of recent)
      for (const [bucket, count] of counts.entries()) {
        sums[bucket] = (sums[bucket] ?? 0) + count;
        total += count;
      }
    return shares.map((share) => Math.round(Math.exp(bucketOf(sums, Math.ceil(share * total)) * growth)));
  }

  #slice(number: number): Slice {
    const index = number % slices;
    const slice = (this.#slices[index] ??= { number, counts: new Uint32Array(buckets) });
    if (slice.number !== number) {
      slice.number = number;
      slice.counts.fill(0);
    }
    return slice;
  }
}

/** Of the one that comes `rank`th, from 1. */
function bucketOf(sums: Uint32Array, rank: number): number {
  let seen = 0;
  for (const [bucket, count] of sums.entries()) {
    seen += count;
    if (seen >= rank) return bucket;
  }
  return buckets - 1;
}
