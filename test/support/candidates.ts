// Candidates for tests of choosing: a backend, its state, and a circuit that does as told.
import { boundOf } from '../../src/admission/bound.ts';
import { LearntLimit } from '../../src/admission/learnt-limit.ts';
import { engines } from '../../src/engines/index.ts';
import { type BackendState, type MemberState, RecentFailures } from '../../src/fleet/backend-state.ts';
import type { Capabilities } from '../../src/fleet/capabilities.ts';
import type { Circuit } from '../../src/fleet/circuit.ts';
import type { Backend } from '../../src/fleet/fleet.ts';
import { noSignals } from '../../src/fleet/signals.ts';
import { Silence, type SilenceParts } from '../../src/fleet/silence.ts';
import type { Candidate } from '../../src/selection/policy.ts';
import { aBackend, timeouts } from './a-fleet.ts';
import { fakeClock } from './fake-clock.ts';

export interface CandidateWishes extends Partial<Backend> {
  readonly health?: BackendState['health'];
  readonly can?: Capabilities;
  readonly context?: number;
  readonly ejected?: boolean;
  readonly holdOff?: MemberState['holdOff'];
  readonly silence?: Partial<SilenceParts>;
}

let nextIndex = 0;

export function aCandidate(wishes: CandidateWishes = {}): Candidate {
  const { health = 'up', can = {}, context, ejected = false, holdOff, silence, ...settings } = wishes;
  const backend = aBackend(settings);
  const member = {
    backend,
    engine: 'vllm',
    name: 'm',
    can,
    ...(context === undefined ? {} : { contextTokens: context }),
  } as const;
  const memberState: MemberState = {
    circuit: aCircuit(ejected),
    failures: new RecentFailures(),
    backSinceMs: undefined,
    holdOff,
    unable: new Map(),
    proven: new Set(),
  };
  const state: BackendState = {
    name: backend.name,
    index: nextIndex++,
    health,
    engine: 'vllm',
    discovered: undefined,
    probedOnce: true,
    draining: false,
    retired: false,
    probeAtMs: undefined,
    backSinceMs: undefined,
    signals: noSignals(),
    silence: new Silence({ clock: fakeClock(), stallAfterMs: 0, changed: () => {}, ...silence }),
    limit: new LearntLimit(),
    members: new Map([['m', memberState]]),
  };
  return {
    model: 'm',
    backend,
    member,
    engine: engines.vllm,
    state,
    memberState,
    timeouts,
    get maxInFlight() {
      return boundOf(backend, state);
    },
    slowStartMs: 30_000,
  };
}

function aCircuit(open: boolean): Circuit {
  return {
    state: open ? 'open' : 'closed',
    retryAtMs: undefined,
    admits: () => !open,
    enter: () => ({ epoch: 0, trial: false }),
    confirm: () => {},
    record: () => {},
    blame: () => {},
    probed: () => {},
    close: () => {},
  };
}

export function namesOf(candidates: readonly Candidate[]): readonly string[] {
  return candidates.map(({ backend }) => backend.name);
}
