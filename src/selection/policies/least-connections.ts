// Weighted least connections: smallest (in_flight + 1 + recent failures) / weight, ties at random.
import { type Candidate, connectionCost, type PolicyMaker, type PolicyParts } from '../policy.ts';

/** How many are looked at closely before a ranking is cheaper. */
const mostSeen = 8;

export const leastConnections: PolicyMaker = (parts) => {
  const floors = new Floors(parts);
  return {
    name: 'least-connections',
    goesBy: 'the smallest (in flight + 1 + recent failures) / weight, ties at random',
    score: (candidate) => connectionCost(candidate, parts),
    rank(candidates) {
      if (candidates.length === 1) return candidates;
      const nowMs = parts.clock.now();
      return candidates
        .map((candidate) => ({ candidate, cost: connectionCost(candidate, parts, nowMs), tie: parts.random() }))
        .toSorted((a, b) => a.cost - b.cost || a.tie - b.tie)
        .map(({ candidate }) => candidate);
    },
    best(candidates, acceptable) {
      const nowMs = parts.clock.now();
      floors.take(candidates);
      let best: { readonly candidate: Candidate; readonly cost: number } | undefined;
      for (let seen = 0; seen < mostSeen; seen++) {
        const at = floors.lowest();
        const candidate = candidates[at];
        // Nobody's cost is below its floor, so who costs no more than the lowest that is left is the cheapest.
        if (candidate === undefined || (best !== undefined && best.cost <= floors.least)) return best?.candidate;
        const cost = connectionCost(candidate, parts, nowMs);
        if (cost < (best?.cost ?? Infinity) && acceptable(candidate)) best = { candidate, cost };
        if (best !== undefined && best.cost <= floors.least) return best.candidate;
        floors.leaveOut(at);
      }
      return undefined;
    },
  };
};

/**
 * What candidates cost at least: without failures, and with all of their weight. One pass over plain numbers, so that a choice
 * among a thousand takes microseconds.
 */
class Floors {
  readonly #parts: PolicyParts;
  #candidates: readonly Candidate[] = [];
  #indexes = new Int32Array(0);
  #weights = new Float64Array(0);
  #tied = new Int32Array(0);
  #leftOut: readonly number[] = [];
  least = Infinity;

  constructor(parts: PolicyParts) {
    this.#parts = parts;
  }

  /** A snapshot's list stays the same for all its requests. */
  take(candidates: readonly Candidate[]): void {
    this.#leftOut = [];
    if (candidates === this.#candidates) return;
    this.#candidates = candidates;
    this.#indexes = Int32Array.from(candidates, ({ state }) => state.index);
    this.#weights = Float64Array.from(candidates, ({ backend }) => backend.weight);
    this.#tied = new Int32Array(candidates.length);
  }

  leaveOut(at: number): void {
    this.#leftOut = [...this.#leftOut, at];
  }

  /** The place of one with the lowest floor, at random among several; -1: nobody is left. */
  lowest(): number {
    const { inFlight, random } = this.#parts;
    let least = Infinity;
    let ties = 0;
    for (let at = 0; at < this.#indexes.length; at++) {
      const floor = (inFlight.read(this.#indexes[at] ?? 0) + 1) / (this.#weights[at] ?? 1);
      if (floor > least || (this.#leftOut.length > 0 && this.#leftOut.includes(at))) continue;
      if (floor < least) ties = 0;
      least = floor;
      this.#tied[ties++] = at;
    }
    this.least = least;
    return ties === 0 ? -1 : (this.#tied[Math.floor(random() * ties)] ?? -1);
  }
}
