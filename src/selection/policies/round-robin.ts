// Smooth weighted round-robin: turns in proportion to weight, spread evenly, blind to load.
// Source: nginx commit 52327e0627f4 ("Upstream: smooth weighted round-robin balancing").
import { type PolicyMaker, weightOf } from '../policy.ts';

export const roundRobin: PolicyMaker = ({ clock }) => {
  /** Backend name → how far behind its share it is. */
  const owed = new Map<string, number>();
  return {
    name: 'round-robin',
    rank(candidates) {
      const nowMs = clock.now();
      let total = 0;
      for (const candidate of candidates) {
        const { name } = candidate.backend;
        const weight = weightOf(candidate, nowMs);
        owed.set(name, (owed.get(name) ?? 0) + weight);
        total += weight;
      }
      const share = (name: string) => owed.get(name) ?? 0;
      const ranked = candidates.toSorted((a, b) => share(b.backend.name) - share(a.backend.name));
      const first = ranked[0]?.backend.name;
      if (first !== undefined) owed.set(first, share(first) - total);
      return ranked;
    },
  };
};
