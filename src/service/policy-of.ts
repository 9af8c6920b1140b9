// The policy that a fleet names.
import type { Fleet } from '../fleet/fleet.ts';
import { policies } from '../selection/policies/index.ts';
import type { PolicyMaker } from '../selection/policy.ts';

export function policyOf({ routing }: Fleet): PolicyMaker {
  const found = Object.entries(policies).find(([name]) => name === routing.policy);
  return found === undefined ? policies['least-connections'] : found[1];
}
