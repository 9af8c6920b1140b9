// Keeps the run-time state of backends by identity, so that it survives snapshots. Pure book-keeping.
import { type BackendState, type MemberState, RecentFailures } from './backend-state.ts';
import type { Circuit } from './circuit.ts';
import type { Backend } from './fleet.ts';
import type { InFlightLimit } from './in-flight-limit.ts';
import type { Silence } from './silence.ts';
import { TokenEstimates } from './token-estimates.ts';

/** What states are made of. */
export interface RosterParts {
  readonly circuit: (backend: Backend, model: string) => Circuit;
  readonly silence: (backend: Backend) => Silence;
  readonly limit: () => InFlightLimit;
}

export class Roster {
  readonly #states = new Map<string, BackendState>();
  readonly #estimates = new Map<string, TokenEstimates>();
  readonly #make: RosterParts;

  constructor(make: RosterParts) {
    this.#make = make;
  }

  /** The state of a backend; made on first sight. */
  of(backend: Backend): BackendState {
    const known = this.#states.get(backend.name);
    if (known !== undefined) return known;
    const state: BackendState = {
      name: backend.name,
      index: this.#states.size,
      health: 'unknown',
      engine: backend.engine === 'auto' ? undefined : backend.engine,
      discovered: undefined,
      probedOnce: false,
      probeAtMs: undefined,
      backSinceMs: undefined,
      silence: this.#make.silence(backend),
      limit: this.#make.limit(),
      members: new Map(),
    };
    this.#states.set(backend.name, state);
    return state;
  }

  /** The state of a backend as the server of one model; made on first sight. */
  member(backend: Backend, model: string): MemberState {
    const { members } = this.of(backend);
    const known = members.get(model);
    if (known !== undefined) return known;
    const state: MemberState = {
      circuit: this.#make.circuit(backend, model),
      failures: new RecentFailures(),
      backSinceMs: undefined,
      holdOff: undefined,
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

  /** Ends every circuit. The roster is not used afterwards. */
  close(): void {
    for (const state of this.#states.values()) {
      for (const member of state.members.values()) member.circuit.close();
    }
  }
}
