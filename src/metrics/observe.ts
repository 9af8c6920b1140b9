// From what happens to the numbers Prometheus reads. Labels are closed sets: models only by canonical name, and what
// no backend serves is `other`.
import { collectDefaultMetrics, Registry } from 'prom-client';
import type { Outcome } from '../errors.ts';
import type { CircuitState } from '../fleet/circuit.ts';
import type { AttemptEnded, ExchangeSettled, Observer } from '../routing/ports.ts';
import type { Candidate } from '../selection/policy.ts';
import { createInstruments, type Instruments } from './instruments.ts';

export interface Metrics extends Observer {
  /** A request was accepted; the function returned says that it is over. */
  accepted(endpoint: string): () => void;
  probed(backend: string, probe: string, durationMs: number, failure: string | undefined): void;
  circuitChanged(backend: string, model: string, state: CircuitState): void;
  /** Prometheus text. The fleet's state is read when asked for, not kept beside the truth. */
  render(fleet: FleetView): Promise<{ readonly contentType: string; readonly text: string }>;
}

export interface FleetView {
  /** By canonical model name. */
  readonly candidates: ReadonlyMap<string, readonly Candidate[]>;
  readonly backends: readonly BackendView[];
  usable(candidate: Candidate): boolean;
}

export interface BackendView {
  readonly name: string;
  readonly engine: string;
  readonly health: string;
  readonly adminState: string;
  readonly inFlight: number;
  readonly connections: number;
}

const healths = ['unknown', 'up', 'loading', 'asleep', 'misconfigured', 'down'];
const adminStates = ['enabled', 'draining', 'disabled'];
const circuitStates: readonly CircuitState[] = ['closed', 'half_open', 'open'];

export function createMetrics(version: string): Metrics {
  const registry = new Registry();
  const instruments = createInstruments(registry);
  collectDefaultMetrics({ register: registry });
  instruments.buildInfo.set({ version, node_version: process.version }, 1);
  return {
    accepted(endpoint) {
      instruments.requestsInFlight.inc({ endpoint });
      return () => instruments.requestsInFlight.dec({ endpoint });
    },
    attempted: ({ backend, model, attempt, result }: AttemptEnded) =>
      instruments.attempts.inc({ backend, model, attempt, result }),
    settled: (event) => settled(instruments, event),
    probed(backend, probe, durationMs, failure) {
      instruments.probeDuration.observe({ backend, probe }, durationMs / 1000);
      if (failure !== undefined) instruments.probeFailures.inc({ backend, probe, reason: failure });
    },
    circuitChanged: (backend, _model, to) => instruments.circuitTransitions.inc({ backend, to }),
    async render(fleet) {
      readFleet(instruments, fleet);
      return { contentType: registry.contentType, text: await registry.metrics() };
    },
  };
}

function settled(instruments: Instruments, event: ExchangeSettled): void {
  const model = event.model ?? 'other';
  const { endpoint, outcome, backend, usage } = event;
  instruments.requests.inc({ model, endpoint, outcome, status_class: `${Math.floor(event.status / 100)}xx` });
  instruments.requestDuration.observe({ model, endpoint, outcome }, event.durationMs / 1000);
  if (backend === undefined) return;
  if (event.firstTokenMs !== undefined) {
    instruments.firstToken.observe({ backend, model }, event.firstTokenMs / 1000);
    const tokens = usage?.outputTokens ?? event.contentEvents;
    if (tokens > 1)
      instruments.perToken.observe({ backend, model }, (event.durationMs - event.firstTokenMs) / 1000 / (tokens - 1));
  }
  if (usage !== undefined) {
    const { tenant } = event;
    instruments.tokens.inc({ model, tenant, type: 'input' }, usage.inputTokens);
    instruments.tokens.inc({ model, tenant, type: 'output' }, usage.outputTokens);
    if (usage.cachedInputTokens)
      instruments.tokens.inc({ model, tenant, type: 'cached_input' }, usage.cachedInputTokens);
    if (usage.reasoningTokens) instruments.tokens.inc({ model, tenant, type: 'reasoning' }, usage.reasoningTokens);
  } else if (outcome === ('ok' satisfies Outcome)) {
    instruments.usageMissing.inc({ backend, model });
  }
}

/** Written anew for each scrape, so that series of what has left are gone. */
function readFleet(instruments: Instruments, fleet: FleetView): void {
  const { backendUp, backendHealth, backendAdminState, backendServesModel, backendInFlight, backendConnections } =
    instruments;
  const { circuitState, modelConfigured, modelAvailable } = instruments;
  for (const gauge of [
    backendUp,
    backendHealth,
    backendAdminState,
    backendServesModel,
    backendInFlight,
    backendConnections,
  ])
    gauge.reset();
  for (const gauge of [circuitState, modelConfigured, modelAvailable]) gauge.reset();
  for (const { name: backend, engine, health, adminState, inFlight, connections } of fleet.backends) {
    backendUp.set({ backend, engine }, health === 'up' ? 1 : 0);
    for (const state of healths) backendHealth.set({ backend, state }, state === health ? 1 : 0);
    for (const state of adminStates) backendAdminState.set({ backend, state }, state === adminState ? 1 : 0);
    backendInFlight.set({ backend }, inFlight);
    backendConnections.set({ backend }, connections);
  }
  for (const [model, candidates] of fleet.candidates) {
    modelConfigured.set({ model }, candidates.length);
    modelAvailable.set({ model }, candidates.filter((candidate) => fleet.usable(candidate)).length);
    for (const { backend, memberState } of candidates) {
      backendServesModel.set({ backend: backend.name, model }, 1);
      for (const state of circuitStates) {
        circuitState.set({ backend: backend.name, model, state }, state === memberState.circuit.state ? 1 : 0);
      }
    }
  }
}
