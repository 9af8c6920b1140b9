// The balancing policies `routing.policy` can name. A new one is a file and a line here.
import type { PolicyMaker } from '../policy.ts';
import { leastCost } from './least-cost.ts';
import { leastConnections } from './least-connections.ts';
import { roundRobin } from './round-robin.ts';
import { session } from './session.ts';
import { twoChoices } from './two-choices.ts';

export const policies = {
  'least-connections': leastConnections,
  'round-robin': roundRobin,
  'two-choices': twoChoices,
  session,
  'least-cost': leastCost,
} satisfies Record<string, PolicyMaker>;
