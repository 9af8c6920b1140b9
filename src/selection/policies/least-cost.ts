// Where a request costs least in seconds, its own and those of the requests that run there: less where its prompt is known
// already, more where much is to be read, written or held. See placement/cost for the formula.
import { CandidateCosts } from '../placement/candidates.ts';
import { jobOf } from '../placement/job.ts';
import { Placement } from '../placement/placement.ts';
import { inWords } from '../placement/words.ts';
import type { Ask, Candidate, PolicyMaker } from '../policy.ts';

export const leastCost: PolicyMaker = ({ clock, inFlight, random, costs: shared }) => {
  const costs = shared ?? new CandidateCosts(new Placement(clock, random), clock, inFlight);
  const appraise = (candidate: Candidate, ask: Ask) => costs.appraise(candidate, jobOf(ask, candidate.model));
  return {
    name: 'least-cost',
    goesBy: 'the fewest seconds that it and those beside it would take, a prompt that is known there being shorter',
    rank(candidates, ask) {
      const [first] = candidates;
      return first === undefined ? candidates : costs.rank(candidates, jobOf(ask, first.model), random);
    },
    score: (candidate, ask) => appraise(candidate, ask).cost,
    detail: (candidate, ask) => inWords(appraise(candidate, ask), ask.promptTokens),
    book: ({ state, model }, ask) => costs.placement.book(state.index, jobOf(ask, model)),
  };
};
