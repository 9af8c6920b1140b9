// How tenants fare beside each other.
import { countedOf, isGood, type Objective, quantile, ttftOf } from './metrics.ts';
import type { Profile } from './replica/profiles.ts';
import type { Outcome } from './simulation.ts';
import { flooding } from './trace/flood.ts';

export interface Fairness {
  /** Jain's index over the goodput of each tenant: 1 when all fare alike, 1/tenants when one has it all. */
  readonly jain: number;
  /** Seconds to the first token, of those who do not flood. */
  readonly victimsP99: number;
  readonly victimsGoodput: number;
}

/** Undefined: nobody's requests bear a name. */
export function fairnessOf(outcome: Outcome, profile: Profile, objective: Objective): Fairness | undefined {
  const counted = countedOf(outcome.served);
  if (counted.every(({ request }) => request.tenant === undefined)) return undefined;
  const byTenant = Map.groupBy(counted, ({ request }) => request.tenant ?? '');
  const shares = [...byTenant.values()].map((served) => {
    const good = served.filter((one) => isGood(one, profile, objective)).length;
    return good / served.length;
  });
  const total = shares.reduce((sum, share) => sum + share, 0);
  const squares = shares.reduce((sum, share) => sum + share ** 2, 0);
  const victims = counted.filter(({ request }) => request.tenant !== flooding);
  return {
    jain: squares === 0 ? 1 : total ** 2 / (shares.length * squares),
    victimsP99: quantile(
      victims.map(ttftOf).toSorted((a, b) => a - b),
      0.99,
    ),
    victimsGoodput: victims.filter((one) => isGood(one, profile, objective)).length / victims.length,
  };
}
