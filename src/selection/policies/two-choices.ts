// Two candidates at random, the cheaper one first; the rest follow in random order.
// M. Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing", 2001.
import { connectionCost, type PolicyMaker } from '../policy.ts';

export const twoChoices: PolicyMaker = (parts) => ({
  name: 'two-choices',
  goesBy: 'of two drawn at random for each request, the smaller (in flight + 1 + recent failures) / weight',
  score: (candidate) => connectionCost(candidate, parts),
  rank(candidates) {
    const drawn = candidates.slice();
    for (let last = drawn.length - 1; last > 0; last--) {
      const pick = Math.floor(parts.random() * (last + 1));
      const [a, b] = [drawn[last], drawn[pick]];
      if (a === undefined || b === undefined) break;
      drawn[last] = b;
      drawn[pick] = a;
    }
    const [first, second, ...rest] = drawn;
    if (first === undefined || second === undefined) return drawn;
    return connectionCost(second, parts) < connectionCost(first, parts) ? [second, first, ...rest] : drawn;
  },
});
