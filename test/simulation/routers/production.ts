// The production policies that book nothing, each router with its own counters; with `sync` those of its peers are added.
import { plainCounters } from '../../../src/admission/counters.ts';
import type { PolicyMaker } from '../../../src/selection/policy.ts';
import { TokenEstimates } from '../../../src/fleet/token-estimates.ts';
import { asksOf } from './asks.ts';
import { candidatesOf } from './candidates.ts';
import type { RuleMaker } from './peer-router.ts';

/** `weighted`: knows the configured weights; otherwise all are taken for equal. */
export function production(make: PolicyMaker, { weighted }: { readonly weighted: boolean }): RuleMaker {
  return ({ weights, loads, time, random, trace, sessionHeaders, kvTokens }) => {
    const asks = asksOf(trace, { sessions: sessionHeaders });
    const estimates = new TokenEstimates();
    const candidates = candidatesOf(
      weights.map((weight) => (weighted ? weight : 1)),
      { kvTokens },
    );
    const inFlight = { ...plainCounters(), read: loads.requests };
    const policy = make({ inFlight, clock: time, random });
    return {
      choose(request, able) {
        const some = able.flatMap((backend) => candidates[backend] ?? []);
        const [first] = policy.rank(some, asks.of(request, estimates));
        return first?.state.index ?? 0;
      },
    };
  };
}
