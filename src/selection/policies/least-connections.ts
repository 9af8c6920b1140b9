// Weighted least connections: smallest (in_flight + 1 + recent failures) / weight, ties at random.
import { connectionCost, type PolicyMaker } from '../policy.ts';

export const leastConnections: PolicyMaker = (parts) => ({
  name: 'least-connections',
  goesBy: 'the smallest (in flight + 1 + recent failures) / weight, ties at random',
  score: (candidate) => connectionCost(candidate, parts),
  rank(candidates) {
    if (candidates.length === 1) return candidates;
    return candidates
      .map((candidate) => ({ candidate, cost: connectionCost(candidate, parts), tie: parts.random() }))
      .toSorted((a, b) => a.cost - b.cost || a.tie - b.tie)
      .map(({ candidate }) => candidate);
  },
});
