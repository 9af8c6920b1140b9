// What the owner of a fleet does for other threads that serve from it: where they read what it knows, and what they are told. In
// most routers there are none.
import type { BackendState, MemberState } from '../fleet/backend-state.ts';
import type { CircuitWords } from '../fleet/circuit.ts';
import type { Backend } from '../fleet/fleet.ts';
import type { InFlightLimit } from '../fleet/in-flight-limit.ts';
import type { OtherEars } from '../fleet/silence.ts';

export interface FleetSharing {
  /** Where a circuit keeps what it shows; undefined: in itself. */
  circuitWords(backend: Backend, model: string): CircuitWords | undefined;
  /** Where it is kept until when a member is left alone; undefined: with the member. */
  holdOff(backend: Backend, model: string): Pick<MemberState, 'holdOff'> | undefined;
  ears(index: number): OtherEars | undefined;
  /** The limit that is learnt here, shown to others. */
  limit(index: number, learnt: InFlightLimit): InFlightLimit;
  /** What is known of a backend is something else now, or when it is looked at again. */
  stateChanged(state: BackendState): void;
  /** A circuit has closed after a pause, and its member comes back. */
  cameBack(backend: Backend, model: string): void;
  /** There is another fleet, published as a whole. */
  fleetChanged(): void;
  /** How many threads may still send something to a backend that has left, because they have not heard of that. */
  unaware(): number;
  /** What runs there is ended. */
  cut(backend: Backend): void;
  /** It is forgotten; `isGone`: no other has its name. */
  left(backend: Backend, isGone: boolean): void;
}

export const unshared: FleetSharing = {
  circuitWords: () => undefined,
  holdOff: () => undefined,
  ears: () => undefined,
  limit: (_index, learnt) => learnt,
  stateChanged() {},
  cameBack() {},
  fleetChanged() {},
  unaware: () => 0,
  cut() {},
  left() {},
};
