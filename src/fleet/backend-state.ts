// What is known about a backend at run time. Mutable, keyed by identity, outlives every snapshot.
import type { DiscoveredModel, Health } from '../engines/engine.ts';
import type { EngineName } from '../engines/index.ts';
import type { Capability } from './capabilities.ts';
import type { Circuit } from './circuit.ts';
import type { Backend } from './fleet.ts';
import type { InFlightLimit } from './in-flight-limit.ts';
import type { Signals } from './signals.ts';
import type { Silence } from './silence.ts';

export interface BackendState {
  readonly name: string;
  /** Dense number of this backend in the counters. */
  readonly index: number;
  /** `unknown` until the first probe has ended. */
  health: Health | 'unknown';
  /** What runs there: as configured, or as found out by `auto`. */
  engine: EngineName | undefined;
  /** The last good discovery; it stays while the backend is down. */
  discovered: readonly DiscoveredModel[] | undefined;
  /** Whether the first round of probes has ended, whatever it found. */
  probedOnce: boolean;
  /** Taken out of rotation at run time; beside what the fleet file says, and over reloads. */
  draining: boolean;
  /** No longer in the fleet: what runs there may finish. */
  retired: boolean;
  /** When the next probe is due, or was while one runs (clock milliseconds); undefined before the first has ended. */
  probeAtMs: number | undefined;
  /** When it was last found up again after it had been up and gone down (clock milliseconds); undefined: never. */
  backSinceMs: number | undefined;
  /** What its probes have last told, and when. */
  readonly signals: Signals;
  readonly silence: Silence;
  /** Of requests in flight; in force where `max_in_flight` is `auto`. */
  readonly limit: InFlightLimit;
  readonly members: Map<string, MemberState>;
}

/** Drained when either says so: the fleet file, or somebody at run time. */
export function adminStateOf(backend: Backend, { draining }: BackendState): Backend['state'] {
  return backend.state === 'enabled' && draining ? 'draining' : backend.state;
}

/** Whether anything new may be sent there, as far as people have decided. */
export function isInRotation(backend: Backend, state: BackendState): boolean {
  return !state.retired && adminStateOf(backend, state) === 'enabled';
}

/** What is known about one backend as the server of one model. */
export interface MemberState {
  readonly circuit: Circuit;
  readonly failures: RecentFailures;
  /** When its circuit last closed after a trip (clock milliseconds); undefined: never. */
  backSinceMs: number | undefined;
  holdOff: HoldOff | undefined;
  /** What the backend has refused to do for this model → when that stops counting, so that a restart with other flags is noticed. */
  readonly unable: Map<Capability, number>;
  /** What it has done since it came up: a refusal of that is an odd request, nothing to learn. */
  readonly proven: Set<Capability>;
}

/** Why and until when (clock milliseconds) a member is better left alone. */
export interface HoldOff {
  readonly why: 'busy' | 'loading' | 'misconfigured' | 'wrong-model';
  readonly untilMs: number;
  /** Told by the backend itself (`Retry-After`): then it is kept. Otherwise a guess, given up when nobody else is left. */
  readonly told: boolean;
}

/** It came back, perhaps with other flags: what it refused before proves nothing now. */
export function forgetRefusals(state: BackendState): void {
  for (const member of state.members.values()) {
    member.unable.clear();
    member.proven.clear();
    member.holdOff = undefined;
  }
}

/** How long a learnt "no" counts. */
export const unableMs = 600_000;

/** Failures of late with a half-life of 10 s, so that a backend that fails fast does not look idle. */
export class RecentFailures {
  #count = 0;
  #atMs = 0;

  /** The decayed count; 0 when the last end was a success. */
  at(nowMs: number): number {
    return this.#count === 0 ? 0 : this.#count * 0.5 ** ((nowMs - this.#atMs) / halfLifeMs);
  }

  add(nowMs: number): void {
    this.#count = this.at(nowMs) + 1;
    this.#atMs = nowMs;
  }

  clear(): void {
    this.#count = 0;
  }
}

const halfLifeMs = 10_000;
