// From what happens to the numbers Prometheus reads. Labels are closed sets: models only by canonical name, and what
// no backend serves is `other`.
import { collectDefaultMetrics, Registry } from 'prom-client';
import type { Leaving } from '../admission/waiting-room.ts';
import type { Outcome } from '../errors.ts';
import type { CircuitState } from '../fleet/circuit.ts';
import type { AttemptEnded, ExchangeSettled, Observer } from '../routing/ports.ts';
import { type ConfigWatch, watchConfig } from './config.ts';
import { type FleetView, readFleet } from './fleet-gauges.ts';
import { forgetBackend } from './forget.ts';
import { createInstruments, type Instruments } from './instruments.ts';
import { type PressureView, showPressure } from './pressure.ts';
import { type SharedStateWatch, watchSharedState } from './shared-state.ts';
import { countWaste, wasteOfAttempt, wasteOfExchange } from './waste.ts';

export interface Metrics extends Observer {
  /** A request was accepted; the function returned says that it is over. */
  accepted(endpoint: string): () => void;
  probed(backend: string, probe: string, durationMs: number, failure: string | undefined): void;
  circuitChanged(backend: string, model: string, state: CircuitState): void;
  /** Somebody has stopped waiting for a slot. */
  waited(model: string, waitedMs: number, how: Leaving): void;
  refusedToWait(model: string): void;
  /** A limit that may decide one day: its series begin at 0. */
  limitKnown(tenant: string, limit: string): void;
  limitDecided(tenant: string, limit: string, decision: string): void;
  /** The router itself had no room: for a request, or not even for a connection. */
  turnedAway(why: 'overload' | 'connections'): void;
  showPressure(view: PressureView): void;
  /** A backend has left the fleet: its series go. */
  forgetBackend(backend: string): void;
  readonly config: ConfigWatch;
  /** Only where there is shared state. */
  watchSharedState(): SharedStateWatch;
  /** Prometheus text. The fleet's state is read when asked for, not kept beside the truth. */
  render(fleet: FleetView): Promise<{ readonly contentType: string; readonly text: string }>;
}

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
    attempted(event: AttemptEnded) {
      const { backend, model, attempt, result } = event;
      instruments.attempts.inc({ backend, model, attempt, result });
      countWaste(instruments, wasteOfAttempt(event));
    },
    letGo: (afterMs) => instruments.hangUpToClosed.observe(afterMs / 1000),
    settled(event) {
      settled(instruments, event);
      countWaste(instruments, wasteOfExchange(event));
    },
    probed(backend, probe, durationMs, failure) {
      instruments.probeDuration.observe({ backend, probe }, durationMs / 1000);
      if (failure !== undefined) instruments.probeFailures.inc({ backend, probe, reason: failure });
    },
    circuitChanged: (backend, _model, to) => instruments.circuitTransitions.inc({ backend, to }),
    waited(model, waitedMs, how) {
      instruments.queueWait.observe({ model }, waitedMs / 1000);
      if (how === 'queue_timeout') instruments.rejections.inc({ model, reason: how });
    },
    refusedToWait: (model) => instruments.rejections.inc({ model, reason: 'queue_full' }),
    limitKnown(tenant, limit) {
      for (const decision of ['allowed', 'denied']) instruments.limitDecisions.inc({ tenant, limit, decision }, 0);
    },
    limitDecided: (tenant, limit, decision) => instruments.limitDecisions.inc({ tenant, limit, decision }),
    turnedAway: (reason) => instruments.rejections.inc({ model: 'other', reason }),
    showPressure: (view) => showPressure(registry, view),
    forgetBackend: (backend) => void forgetBackend(instruments, backend),
    config: watchConfig(registry, Date.now),
    watchSharedState: () => watchSharedState(registry),
    async render(fleet) {
      readFleet(instruments, fleet);
      return { contentType: registry.contentType, text: await registry.metrics() };
    },
  };
}

/** The outcomes that are a refusal of ours. */
const rejectionReasons: Partial<Record<Outcome, string>> = {
  rate_limit_exceeded: 'rate_limit',
  limiter_unavailable: 'limiter_unavailable',
  no_backend: 'no_backend',
  request_too_large: 'too_large',
  unauthorized: 'unauthorized',
  draining: 'draining',
};

function settled(instruments: Instruments, event: ExchangeSettled): void {
  const model = event.model ?? 'other';
  const { endpoint, outcome, backend, usage } = event;
  instruments.requests.inc({ model, endpoint, outcome, status_class: `${Math.floor(event.status / 100)}xx` });
  instruments.requestDuration.observe({ model, endpoint, outcome }, event.durationMs / 1000);
  const reason = rejectionReasons[outcome];
  if (reason !== undefined) instruments.rejections.inc({ model, reason });
  if (event.standIn !== undefined)
    instruments.fallbacks.inc({ model, to: event.standIn.model, cause: event.standIn.cause });
  if (event.continued !== undefined)
    instruments.continuations.inc({ model, result: outcome === 'ok' ? 'completed' : 'failed' });
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
