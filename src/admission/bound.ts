// How many requests a backend takes at once.
import type { DiscoveredModel } from '../engines/engine.ts';
import type { BackendState } from '../fleet/backend-state.ts';
import type { Backend } from '../fleet/fleet.ts';

/** Set, learnt, or told by the backend itself; Infinity: nobody knows of a bound. */
export function boundOf({ maxInFlight }: Backend, { discovered, limit }: BackendState): number {
  return maxInFlight === 'auto' ? limit.value : (maxInFlight ?? slotsOf(discovered));
}

/** What a backend runs at once by its own account: beyond, requests are better off here, where they may go elsewhere. */
function slotsOf(discovered: readonly DiscoveredModel[] | undefined): number {
  const told = discovered?.flatMap(({ slots }) => slots ?? []) ?? [];
  return told.length === 0 ? Infinity : Math.max(...told);
}
