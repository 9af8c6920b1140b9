// Smooth weighted round-robin: turns in proportion to weight, spread evenly, blind to load.
// Source: nginx commit 52327e0627f4 ("Upstream: smooth weighted round-robin balancing").
import { type Candidate, type PolicyMaker, weightOf } from '../policy.ts';

export const roundRobin: PolicyMaker = ({ clock }) => {
  /** Backend name → how far behind its share it is. */
  const owed = new Map<string, number>();
  const share = (name: string) => owed.get(name) ?? 0;
  /** Every one of them gets its weight; who is owed the most is first. */
  const turn = (candidates: readonly Candidate[]) => {
    const nowMs = clock.now();
    const shares = new Map<Candidate, number>();
    let total = 0;
    for (const candidate of candidates) {
      const weight = weightOf(candidate, nowMs);
      shares.set(candidate, share(candidate.backend.name) + weight);
      total += weight;
    }
    const ranked = candidates.toSorted((a, b) => (shares.get(b) ?? 0) - (shares.get(a) ?? 0));
    return { shares, total, ranked };
  };
  return {
    name: 'round-robin',
    goesBy: 'whose turn it is, in proportion to weight',
    foresee: (candidates) => turn(candidates).ranked,
    rank(candidates) {
      const { shares, total, ranked } = turn(candidates);
      for (const [{ backend }, now] of shares) owed.set(backend.name, now);
      const first = ranked[0]?.backend.name;
      if (first !== undefined) owed.set(first, share(first) - total);
      return ranked;
    },
  };
};
