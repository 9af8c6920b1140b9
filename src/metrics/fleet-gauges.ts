// The state of the fleet as gauges, written anew for each scrape: the truth stays where it is, and series of what has
// left are gone.
import { boundOf } from '../admission/bound.ts';
import { adminStateOf, type BackendState } from '../fleet/backend-state.ts';
import type { CircuitState } from '../fleet/circuit.ts';
import type { Backend } from '../fleet/fleet.ts';
import { reportedLoad } from '../fleet/signals.ts';
import { isUsable } from '../selection/eligible.ts';
import { isPanicking } from '../selection/panic.ts';
import type { Candidate, Policy } from '../selection/policy.ts';
import type { Instruments } from './instruments.ts';
import { connectionStates } from './labels.ts';
import { type ModelNames, other } from './model-names.ts';

export interface FleetView {
  readonly backends: readonly BackendView[];
  /** By canonical model name. */
  readonly models: ReadonlyMap<string, ModelView>;
  /** Whose tokens may be counted. */
  readonly tenants: readonly string[];
  /** How many wait, by model; absent: nobody. */
  readonly queues: ReadonlyMap<string, number>;
  /** Remembered prefixes of prompts; left out: nothing goes by them. */
  readonly prefixes?: number;
  readonly nowMs: number;
  /** The same moment in Unix milliseconds. */
  readonly wallMs: number;
}

export interface ModelView {
  readonly candidates: readonly Candidate[];
  readonly policy: Pick<Policy, 'name'>;
  readonly panicRatio: number;
}

export interface BackendView {
  readonly backend: Backend;
  readonly state: BackendState;
  readonly inFlight: number;
  readonly connections: Readonly<Record<(typeof connectionStates)[number], number>>;
}

const healths: readonly BackendState['health'][] = ['unknown', 'up', 'loading', 'asleep', 'misconfigured', 'down'];
const adminStates: readonly Backend['state'][] = ['enabled', 'draining', 'disabled'];
const circuitStates: readonly CircuitState[] = ['closed', 'half_open', 'open'];

export function readFleet(instruments: Instruments, fleet: FleetView, names: ModelNames): void {
  readBackends(instruments, fleet.backends);
  readSignals(instruments, fleet);
  readModels(instruments, fleet, names);
  readThread(instruments, fleet);
}

function readBackends(instruments: Instruments, backends: readonly BackendView[]): void {
  const { backendUp, backendHealth, backendStalled, backendAdminState } = instruments;
  const { backendInFlight, backendMaxInFlight } = instruments;
  for (const gauge of [backendUp, backendHealth, backendStalled, backendAdminState]) gauge.reset();
  for (const gauge of [backendInFlight, backendMaxInFlight]) gauge.reset();
  for (const { backend, state, inFlight } of backends) {
    const { name } = backend;
    backendUp.set({ backend: name, engine: state.engine ?? 'auto' }, state.health === 'up' ? 1 : 0);
    for (const health of healths) backendHealth.set({ backend: name, state: health }, health === state.health ? 1 : 0);
    backendStalled.set({ backend: name }, state.silence.stalled ? 1 : 0);
    for (const admin of adminStates)
      backendAdminState.set({ backend: name, state: admin }, admin === adminStateOf(backend, state) ? 1 : 0);
    backendInFlight.set({ backend: name }, inFlight);
    const bound = boundOf(backend, state);
    if (bound !== Infinity) backendMaxInFlight.set({ backend: name }, bound);
  }
}

/** Of this thread. */
export function readThread({ backendConnections, affinityEntries }: Instruments, fleet: FleetView): void {
  const { backends, prefixes = 0 } = fleet;
  affinityEntries.set(prefixes);
  backendConnections.reset();
  for (const { backend, connections } of backends)
    for (const state of connectionStates) backendConnections.set({ backend: backend.name, state }, connections[state]);
}

function readSignals(instruments: Instruments, { backends, nowMs, wallMs }: FleetView): void {
  const { backendRunning, backendWaiting, backendKvCache, signalAt } = instruments;
  for (const gauge of [backendRunning, backendWaiting, backendKvCache, signalAt]) gauge.reset();
  for (const { backend, state } of backends) {
    const { healthAtMs, modelsAtMs, load } = state.signals;
    for (const [signal, atMs] of Object.entries({ health: healthAtMs, models: modelsAtMs, load: load?.atMs }))
      if (atMs !== undefined) signalAt.set({ backend: backend.name, signal }, Math.round(wallMs - nowMs + atMs) / 1000);
    const reading = reportedLoad(state.signals, nowMs);
    if (reading === undefined) continue;
    backendRunning.set({ backend: backend.name }, reading.running);
    backendWaiting.set({ backend: backend.name }, reading.waiting);
    if (reading.kvUsage !== undefined) backendKvCache.set({ backend: backend.name }, reading.kvUsage);
  }
}

function readModels(instruments: Instruments, { models, queues, nowMs }: FleetView, names: ModelNames): void {
  const { backendServesModel, circuitState, modelConfigured, modelAvailable, modelPanic, queueLength } = instruments;
  for (const gauge of [backendServesModel, circuitState, modelConfigured, modelAvailable, modelPanic, queueLength])
    gauge.reset();
  for (const [model, { candidates, panicRatio }] of models) {
    if (names.of(model) === other) continue;
    queueLength.set({ model }, queues.get(model) ?? 0);
    modelConfigured.set({ model }, candidates.length);
    modelAvailable.set({ model }, candidates.filter((candidate) => isUsable(candidate, nowMs)).length);
    modelPanic.set({ model }, isPanicking(candidates, panicRatio) ? 1 : 0);
    for (const { backend, memberState } of candidates) {
      const { state: shown } = memberState.circuit;
      backendServesModel.set({ backend: backend.name, model }, 1);
      for (const state of circuitStates)
        circuitState.set({ backend: backend.name, model, state }, state === shown ? 1 : 0);
    }
  }
}
