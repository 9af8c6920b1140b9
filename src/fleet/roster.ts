// Keeps the run-time state of backends by identity, so that it survives snapshots and reloads. Pure book-keeping.
import { type BackendState, type MemberState, RecentFailures } from './backend-state.ts';
import { identityOf } from './changes.ts';
import type { Circuit } from './circuit.ts';
import type { Backend } from './fleet.ts';
import type { InFlightLimit } from './in-flight-limit.ts';
import { noSignals } from './signals.ts';
import type { Silence } from './silence.ts';
import { TokenEstimates } from './token-estimates.ts';

/** What states are made of. */
export interface RosterParts {
  readonly circuit: (backend: Backend, model: string) => Circuit;
  /** `index`: of the state. */
  readonly silence: (backend: Backend, index: number) => Silence;
  readonly limit: (backend: Backend, index: number) => InFlightLimit;
  /** Where it is kept until when a member is left alone; left out or undefined: with the rest of what is known of it. */
  readonly holdOff?: (backend: Backend, model: string) => Pick<MemberState, 'holdOff'> | undefined;
  /** Left out: numbers are given out here. */
  readonly indexOf?: (backend: Backend) => number;
}

export class Roster {
  readonly #states = new Map<string, BackendState>();
  readonly #identities = new Map<BackendState, string>();
  readonly #estimates = new Map<string, TokenEstimates>();
  readonly #make: RosterParts;
  /** Of backends that have left. */
  readonly #freeIndexes: number[] = [];
  #nextIndex = 0;

  constructor(make: RosterParts) {
    this.#make = make;
  }

  /** The state of a backend; made on first sight. */
  of(backend: Backend): BackendState {
    const identity = identityOf(backend);
    const known = this.#states.get(identity);
    if (known !== undefined) return known;
    const index = this.#make.indexOf?.(backend) ?? this.#freeIndexes.pop() ?? this.#nextIndex++;
    const state: BackendState = {
      name: backend.name,
      index,
      health: 'unknown',
      engine: backend.engine === 'auto' ? undefined : backend.engine,
      discovered: undefined,
      probedOnce: false,
      draining: false,
      retired: false,
      probeAtMs: undefined,
      backSinceMs: undefined,
      signals: noSignals(),
      silence: this.#make.silence(backend, index),
      limit: this.#make.limit(backend, index),
      members: new Map(),
    };
    this.#states.set(identity, state);
    this.#identities.set(state, identity);
    return state;
  }

  /** Undefined: it has left. */
  identityOf(state: BackendState): string | undefined {
    return this.#identities.get(state);
  }

  /** By identity; undefined: it was never seen, or has left. */
  known(identity: string): BackendState | undefined {
    return this.#states.get(identity);
  }

  /** The state of a backend as the server of one model; made on first sight. */
  member(backend: Backend, model: string): MemberState {
    const { members } = this.of(backend);
    const known = members.get(model);
    if (known !== undefined) return known;
    const circuit = this.#make.circuit(backend, model);
    const kept = this.#make.holdOff?.(backend, model) ?? { holdOff: undefined };
    const state: MemberState = {
      circuit,
      failures: new RecentFailures(),
      backSinceMs: undefined,
      get holdOff() {
        return kept.holdOff;
      },
      set holdOff(until) {
        kept.holdOff = until;
      },
      unable: new Map(),
      proven: new Set(),
    };
    members.set(model, state);
    return state;
  }

  /** What requests for a known model cost. */
  estimates(model: string): TokenEstimates {
    const known = this.#estimates.get(model);
    if (known !== undefined) return known;
    const estimates = new TokenEstimates();
    this.#estimates.set(model, estimates);
    return estimates;
  }

  all(): Iterable<BackendState> {
    return this.#states.values();
  }

  /** Ends the circuits of a backend that has left. Only with nothing in flight there: its index goes to another one. */
  forget(backend: Backend): void {
    this.forgetIdentity(identityOf(backend));
  }

  forgetIdentity(identity: string): void {
    const state = this.#states.get(identity);
    if (state === undefined) return;
    this.#states.delete(identity);
    this.#identities.delete(state);
    this.#freeIndexes.push(state.index);
    closeCircuits(state);
  }

  /** Ends every circuit. The roster is not used afterwards. */
  close(): void {
    for (const state of this.#states.values()) closeCircuits(state);
  }
}

function closeCircuits(state: BackendState): void {
  for (const member of state.members.values()) member.circuit.close();
}
