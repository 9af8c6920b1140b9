// How many prompts begin alike: decayed counts of the first points of fingerprints, in a count-min sketch of fixed size.
// G. Cormode, S. Muthukrishnan, "An improved data stream summary: the count-min sketch and its applications", 2005.
import type { Fingerprint } from './fingerprint.ts';

const width = 8_192;
const rows = 3;
/** Points that are looked at; whoever begins alike for longer than this is alike. */
const deepest = 16;
/** After so many prompts every count is halved. */
const halvedAfter = 16_384;

export class HeavyPrefixes {
  #counts = new Uint32Array(0);
  #total = 0;
  #sinceHalved = 0;

  /**
   * The shallowest point that less than `share` of all prompts have in common: what tells one conversation, or one context
   * that many share, from the beginning that everybody has. −1: the prompt is too short to tell.
   */
  tellingPoint(print: Fingerprint, share: number): number {
    const last = Math.min(deepest, print.length) - 1;
    for (let point = 0; point < last; point++)
      if (this.#total === 0 || this.#count(print, point) <= share * this.#total) return point;
    return last;
  }

  /** Only as deep as was looked: what lies behind a point that tells is of no interest. */
  note(print: Fingerprint, share: number): void {
    if (print.length === 0) return;
    if (this.#counts.length === 0) this.#counts = new Uint32Array(width * rows);
    const last = this.tellingPoint(print, share);
    this.#total++;
    for (let point = 0; point <= last; point++) this.#add(print, point);
    if (++this.#sinceHalved < halvedAfter) return;
    this.#sinceHalved = 0;
    this.#total >>>= 1;
    for (let at = 0; at < this.#counts.length; at++) this.#counts[at] = (this.#counts[at] ?? 0) >>> 1;
  }

  #count(print: Fingerprint, point: number): number {
    let least = Infinity;
    for (let row = 0; row < rows; row++) least = Math.min(least, this.#counts[placeIn(row, print, point)] ?? 0);
    return least;
  }

  #add(print: Fingerprint, point: number): void {
    // Only the smallest are raised: the others count somebody else as well already.
    const next = this.#count(print, point) + 1;
    for (let row = 0; row < rows; row++) {
      const place = placeIn(row, print, point);
      this.#counts[place] = Math.max(next, this.#counts[place] ?? 0);
    }
  }
}

/** Three disjoint parts of a hash that is uniform already. */
function placeIn(row: number, { low, high }: Fingerprint, point: number): number {
  const bits = row === 0 ? (low[point] ?? 0) : row === 1 ? (low[point] ?? 0) >>> 16 : (high[point] ?? 0);
  return row * width + (bits & (width - 1));
}
