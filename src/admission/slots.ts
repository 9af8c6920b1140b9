// Who holds the right to have a request in flight where. A policy ranks; only this ledger gives possession, in one
// synchronous step with the count.
import type { CircuitTicket } from '../fleet/circuit.ts';
import { type Charge, noCharge } from '../selection/placement/charge.ts';
import type { Candidate } from '../selection/policy.ts';
import type { Counters } from './counters.ts';
import { roomOf } from './slow-start.ts';

export interface Slot {
  readonly candidate: Candidate;
  readonly ticket: CircuitTicket;
  /** How many were in flight there when it was claimed, this one included. */
  readonly inFlight: number;
  /** What it weighs there; ended with the slot. */
  readonly charge: Charge;
  /** Idempotent. */
  release(): void;
}

export interface Slots {
  /** The first candidate with room; undefined when all are full. The caller releases. `book`: see `Policy.book`. */
  claim(ordered: readonly Candidate[], nowMs: number, book?: Book): Slot | undefined;
}

export type Book = (candidate: Candidate) => Charge;

/** `freed`: told whenever a slot was released, and where. */
export function createSlots(counters: Counters, freed: (candidate: Candidate) => void = () => {}): Slots {
  return {
    claim(ordered, nowMs, book = () => noCharge) {
      for (const candidate of ordered) {
        const inFlight = counters.claim(candidate.state.index, roomOf(candidate, nowMs));
        if (inFlight !== undefined)
          return createSlot(candidate, { counters, inFlight, freed, charge: book(candidate) });
      }
      return undefined;
    },
  };
}

export function hasRoom(candidate: Candidate, counters: Counters, nowMs: number): boolean {
  return counters.read(candidate.state.index) < roomOf(candidate, nowMs);
}

/** Finds who has room and takes nothing: for whoever only asks what would happen. */
export function imaginedSlots(counters: Counters): Slots {
  return {
    claim(ordered, nowMs) {
      const candidate = ordered.find((one) => hasRoom(one, counters, nowMs));
      if (candidate === undefined) return undefined;
      const inFlight = counters.read(candidate.state.index) + 1;
      return { candidate, inFlight, charge: noCharge, ticket: { epoch: 0, trial: false }, release: () => {} };
    },
  };
}

interface SlotParts extends Pick<Slot, 'inFlight' | 'charge'> {
  readonly counters: Counters;
  readonly freed: (candidate: Candidate) => void;
}

function createSlot(candidate: Candidate, { counters, inFlight, freed, charge }: SlotParts): Slot {
  let held = true;
  return {
    candidate,
    inFlight,
    charge,
    ticket: candidate.memberState.circuit.enter(),
    release() {
      if (!held) return;
      held = false;
      charge.end();
      counters.add(candidate.state.index, -1);
      freed(candidate);
    },
  };
}
