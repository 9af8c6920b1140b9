// What answers teach about backends: how fast each one is beside its like, how long requests stay, and whether it remembers as
// much as was thought.
import type { Booked, Seen } from './charge.ts';
import { chunkTokens } from './fingerprint.ts';
import type { Loads } from './loads.ts';
import type { PrefixIndex } from './prefix-index.ts';

const weightOfOneStart = 0.05;
const weightOfOneStay = 0.1;
/** A prompt of fewer tells more about the network than about the machine. */
const tellingTokens = 512;
/** How far experience may be from what was configured, either way. */
const mostOff = 4;
/** Of what is to be computed; more would be taken for the pace of the machine. */
const mostMisjudged = 0.25;
/** Differences in pace up to this (as a logarithm) are chance; routers that each believe their own would pull apart what belongs together. */
const byChance = 0.2;
/** A window is a multiple of what a cache holds: better too much than too little. */
const windowPerCapacity = 2;
/** After so many large misses in a row less is believed of a backend; and never less than this. */
const missesInARow = 3;
const leastBelief = 1 / 16;

export class Experience {
  readonly #loads: Loads;
  readonly #index: PrefixIndex;
  /** By backend: how much slower than assumed it was, as a logarithm, its weight taken out; undefined: nobody has seen. */
  readonly #slower: (number | undefined)[] = [];
  readonly #misses: number[] = [];
  readonly #belief: number[] = [];
  /** By cohort: the middle of those seen, and starts since it was last looked for. */
  readonly #middle: number[] = [];
  readonly #starts: number[] = [];

  constructor(loads: Loads, index: PrefixIndex) {
    this.#loads = loads;
    this.#index = index;
  }

  forget(backend: number): void {
    this.#slower[backend] = undefined;
    this.#misses[backend] = 0;
    this.#belief[backend] = 1;
    this.capacityKnown(backend);
  }

  capacityKnown(backend: number): void {
    const chunks = (this.#loads.of.capacity[backend] ?? 0) / chunkTokens;
    this.#index.setWindow(backend, windowPerCapacity * chunks * (this.#belief[backend] ?? 1));
  }

  answered(backend: number, foreseen: Booked, seen: Seen): void {
    const { residence } = this.#loads.of;
    const before = residence[backend] ?? 0;
    residence[backend] = before + (seen.tookMs / 1000 / foreseen.slowness - before) * weightOfOneStay;
    if (seen.cachedTokens !== undefined && foreseen.cachedTokens >= tellingTokens)
      this.#remembered(backend, seen.cachedTokens / foreseen.cachedTokens);
    if (isTelling(foreseen, seen)) this.#started(backend, foreseen, seen.ttftMs ?? 0);
  }

  #started(backend: number, { ttftMs, slowness }: Booked, tookMs: number): void {
    if (ttftMs <= 0 || tookMs <= 0) return;
    const weight = this.#loads.of.weight[backend] ?? 1;
    const seen = Math.log((tookMs * slowness * weight) / ttftMs);
    const cohort = this.#loads.cohort[backend] ?? 0;
    const before = this.#slower[backend] ?? this.#middle[cohort] ?? seen;
    this.#slower[backend] = before + (seen - before) * weightOfOneStart;
    const like = this.#like(cohort);
    const starts = (this.#starts[cohort] ?? 0) + 1;
    this.#starts[cohort] = starts;
    if (starts < like) return;
    this.#starts[cohort] = 0;
    this.#compare(cohort);
  }

  /** `part`: of what it was believed to hold. */
  #remembered(backend: number, part: number): void {
    const belief = this.#belief[backend] ?? 1;
    if (part >= 0.25) {
      this.#misses[backend] = 0;
      if (belief < 1) this.#believe(backend, belief * 2);
      return;
    }
    const misses = (this.#misses[backend] ?? 0) + 1;
    this.#misses[backend] = misses % missesInARow;
    if (misses === missesInARow && belief > leastBelief) this.#believe(backend, belief / 2);
  }

  #believe(backend: number, belief: number): void {
    this.#belief[backend] = belief;
    this.capacityKnown(backend);
  }

  #like(cohort: number): number {
    let count = 0;
    for (const other of this.#loads.cohort) if (other === cohort) count++;
    return count;
  }

  /**
   * Against the middle one of those that have been seen: what is wrong about all of them alike changes no choice. Those that
   * have not must not look slow beside them, or nobody would ever see them.
   */
  #compare(cohort: number): void {
    const { of } = this.#loads;
    const members: number[] = [];
    for (let backend = 0; backend < this.#slower.length; backend++)
      if (this.#loads.cohort[backend] === cohort && this.#loads.knows(backend)) members.push(backend);
    const known = members.flatMap((backend) => this.#slower[backend] ?? []).toSorted((a, b) => a - b);
    const middle = known[known.length >> 1] ?? 0;
    this.#middle[cohort] = middle;
    for (const backend of members) {
      const seen = (this.#slower[backend] ?? middle) - middle;
      const off = Math.exp(Math.sign(seen) * Math.max(0, Math.abs(seen) - byChance));
      of.slowness[backend] = Math.min(mostOff, Math.max(1 / mostOff, off)) / (of.weight[backend] ?? 1);
    }
  }
}

/** Whether the time to its first token tells of the machine: not where it had more or less to compute than was thought. */
function isTelling(foreseen: Booked, seen: Seen): boolean {
  const { promptTokens, uncachedTokens, cachedTokens, aheadMs, ttftMs } = foreseen;
  if (seen.ttftMs === undefined || uncachedTokens < tellingTokens || aheadMs > ttftMs * mostMisjudged) return false;
  if (seen.cachedTokens === undefined) return cachedTokens <= promptTokens * mostMisjudged;
  return Math.abs(seen.cachedTokens - cachedTokens) <= uncachedTokens * mostMisjudged;
}
