// Backends that have left the fleet: nothing new is sent there, what runs may finish, and then all that belonged to them
// is released. The one place where that happens while the router runs.
import type { Counters } from '../admission/counters.ts';
import type { Clock } from '../clock.ts';
import type { BackendState } from '../fleet/backend-state.ts';
import { identityOf } from '../fleet/changes.ts';
import type { Backend } from '../fleet/fleet.ts';
import type { Roster } from '../fleet/roster.ts';
import { describeCause, type Logger } from '../log.ts';
import type { SimulatedFleet } from '../simulated/fleet.ts';
import type { Circuits } from '../upstream/circuits.ts';
import type { Connections } from '../upstream/connections.ts';
import type { Prober } from '../upstream/probers.ts';

export interface BackendParts {
  readonly clock: Clock;
  readonly log: Logger;
  readonly inFlight: Counters;
  readonly roster: Roster;
  readonly prober: Prober;
  readonly connections: Connections;
  readonly circuits: Circuits;
  readonly simulated: SimulatedFleet;
  /** Ends what runs on a backend. */
  readonly cut: (backend: Backend) => Promise<void>;
  /** Nothing is left of a backend. */
  readonly left: (backend: Backend) => void;
}

interface Departure {
  readonly backend: Backend;
  readonly state: BackendState;
  readonly endsAtMs: number;
  readonly cancel: () => void;
}

export class Departures {
  readonly #parts: BackendParts;
  readonly #departing = new Map<string, Departure>();
  readonly #releasing = new Set<Promise<void>>();

  constructor(parts: BackendParts) {
    this.#parts = parts;
  }

  /** How many have left the fleet and are still there. */
  get size(): number {
    return this.#departing.size + this.#releasing.size;
  }

  /** What runs there gets `timeoutMs` to finish. */
  begin(backend: Backend, timeoutMs: number): void {
    const { clock, log, roster, cut, prober } = this.#parts;
    const state = roster.of(backend);
    state.retired = true;
    const endsAtMs = clock.now() + timeoutMs;
    const cancel = clock.after(timeoutMs, () => {
      log.warn({ backend: backend.name, in_flight: this.#inFlight(state) }, 'removed backend: its time is up');
      // What runs there fails, and with that its slots are released.
      this.#note(cut(backend));
    });
    this.#departing.set(identityOf(backend), { backend, state, endsAtMs, cancel });
    this.#note(prober.remove(backend));
    this.settle();
  }

  /**
   * It is back before all has ended that ran there: then it is the same one still. Returns what is left of its time, should it
   * have to leave after all; undefined: it was not leaving.
   */
  revoke(backend: Backend): number | undefined {
    const departure = this.#departing.get(identityOf(backend));
    if (departure === undefined) return undefined;
    departure.cancel();
    departure.state.retired = false;
    // Nobody has asked since it left: it is probed like every other that joins.
    departure.state.health = 'unknown';
    departure.state.probedOnce = false;
    this.#departing.delete(identityOf(backend));
    return Math.max(0, departure.endsAtMs - this.#parts.clock.now());
  }

  /** To be told whenever a slot was released. */
  settle(): void {
    for (const [identity, { backend, state, cancel }] of this.#departing) {
      if (this.#inFlight(state) > 0) continue;
      cancel();
      this.#departing.delete(identity);
      this.#note(this.#release(backend));
    }
  }

  /** Resolves when nothing is being released. */
  async settled(): Promise<void> {
    while (this.#releasing.size > 0) await Promise.all(this.#releasing);
  }

  /** Waits for none of those who still run: the router stops. */
  async close(): Promise<void> {
    for (const { cancel } of this.#departing.values()) cancel();
    this.#departing.clear();
    await this.settled();
  }

  async #release(backend: Backend): Promise<void> {
    const { roster, circuits, connections, simulated, left } = this.#parts;
    roster.forget(backend);
    circuits.drop(backend);
    await connections.drop(backend);
    await simulated.stop(backend);
    left(backend);
  }

  #note(work: Promise<void>): void {
    const noted = work
      .catch((cause: unknown) =>
        this.#parts.log.error({ cause: describeCause(cause) }, 'a removed backend was not released'),
      )
      .finally(() => this.#releasing.delete(noted));
    this.#releasing.add(noted);
  }

  #inFlight({ index }: BackendState): number {
    return this.#parts.inFlight.read(index);
  }
}
