// Who holds the right to have a request in flight where. A policy ranks; only this ledger gives possession, in one
// synchronous step with the count.
import type { CircuitTicket } from '../fleet/circuit.ts';
import type { Candidate } from '../selection/policy.ts';
import type { Counters } from './counters.ts';
import { roomOf } from './slow-start.ts';

export interface Slot {
  readonly candidate: Candidate;
  readonly ticket: CircuitTicket;
  /** How many were in flight there when it was claimed, this one included. */
  readonly inFlight: number;
  /** Idempotent. */
  release(): void;
}

export interface Slots {
  /** The first candidate with room; undefined when all are full. The caller releases. */
  claim(ordered: readonly Candidate[], nowMs: number): Slot | undefined;
}

/** `freed`: told whenever a slot was released. */
export function createSlots(counters: Counters, freed: () => void = () => {}): Slots {
  return {
    claim(ordered, nowMs) {
      for (const candidate of ordered) {
        const { index } = candidate.state;
        if (counters.read(index) >= roomOf(candidate, nowMs)) continue;
        return createSlot(candidate, { counters, inFlight: counters.add(index, 1), freed });
      }
      return undefined;
    },
  };
}

function createSlot(
  candidate: Candidate,
  { counters, inFlight, freed }: { readonly counters: Counters; readonly inFlight: number; readonly freed: () => void },
): Slot {
  let held = true;
  return {
    candidate,
    inFlight,
    ticket: candidate.memberState.circuit.enter(),
    release() {
      if (!held) return;
      held = false;
      counters.add(candidate.state.index, -1);
      freed();
    },
  };
}
