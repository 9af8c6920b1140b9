// The boards, by the name of their file in dashboards/.
import type { Board } from '../board.ts';
import { backends } from './backends.ts';
import { fleetOverview } from './fleet-overview.ts';
import { routerInternals } from './router-internals.ts';
import { routingAndAdmission } from './routing-admission.ts';

export const boards: Readonly<Record<string, Board>> = {
  'fleet-overview': fleetOverview,
  backends,
  'routing-admission': routingAndAdmission,
  'router-internals': routerInternals,
};
