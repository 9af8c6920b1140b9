// Smooth weighted round-robin: turns in proportion to weight, spread evenly, blind to load.
// Source: nginx commit 52327e0627f4 ("Upstream: smooth weighted round-robin balancing").
import type { PolicyMaker } from '../policy.ts';

export const roundRobin: PolicyMaker = () => {
  /** Backend name → how far behind its share it is. */
  const owed = new Map<string, number>();
  return {
    name: 'round-robin',
    rank(candidates) {
      let total = 0;
      for (const { backend } of candidates) {
        owed.set(backend.name, (owed.get(backend.name) ?? 0) + backend.weight);
        total += backend.weight;
      }
      const share = (name: string) => owed.get(name) ?? 0;
      const ranked = candidates.toSorted((a, b) => share(b.backend.name) - share(a.backend.name));
      const first = ranked[0]?.backend.name;
      if (first !== undefined) owed.set(first, share(first) - total);
      return ranked;
    },
  };
};
