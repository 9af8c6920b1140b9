// How much a fleet takes with a policy: the highest rate at which nine of ten requests are still good, by bisection.
import { measure } from './metrics.ts';
import { Matrix } from './matrix.ts';
import type { SimulatedPolicy } from './routers/router.ts';
import type { Scenario } from './scenarios.ts';

export interface CapacityWishes {
  readonly scenario: Scenario;
  readonly policy: SimulatedPolicy;
  readonly routers: number;
  readonly seed: number;
}

const wanted = 0.9;
const steps = 7;
const lowest = 0.2;

/** Requests a second, on average over the trace; 0: not even at a fifth of its rate. */
export function capacityOf({ scenario, policy, routers, seed }: CapacityWishes): number {
  const goodput = (rate: number) => {
    const outcome = new Matrix([seed]).outcome({ scenario: { ...scenario, rate }, policy, routers }, seed);
    return measure(outcome, scenario.profile, scenario.objective).goodput;
  };
  let [low, high] = [lowest, scenario.rate * 2];
  if (goodput(low) < wanted) return 0;
  for (let step = 0; step < steps; step++) {
    const middle = (low + high) / 2;
    if (goodput(middle) >= wanted) low = middle;
    else high = middle;
  }
  const { requests } = scenario.trace(seed);
  const lastS = Math.max(...requests.map(({ atS }) => atS));
  return (low * requests.length) / lastS;
}
