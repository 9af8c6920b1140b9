// Sets to 0 what is known to be counted one day, so that the first event is a rise that `rate()` sees. Only what alerts and
// boards look at: every combination there could be would be more series than all others together.
import type { Outcome } from '../errors.ts';
import { endpointNames } from '../fleet/capabilities.ts';
import { knownUnable } from '../selection/eligible.ts';
import type { FleetView } from './fleet-gauges.ts';
import type { Instruments } from './instruments.ts';
import * as labels from './labels.ts';
import { type ModelNames, other } from './model-names.ts';

/** For what is there from the start. */
export function zeroRouter(instruments: Instruments): void {
  const { overhead, disconnects, rejections, requests, requestsInFlight } = instruments;
  for (const phase of labels.overheadPhases) overhead.zero({ phase });
  for (const endpoint of endpointNames) {
    requestsInFlight.set({ endpoint }, 0);
    for (const phase of labels.leavingPhases) disconnects.inc({ endpoint, phase }, 0);
    const outcome: Outcome = 'model_not_found';
    requests.inc({ model: other, endpoint, outcome, status_class: '4xx' }, 0);
  }
  for (const reason of labels.otherRejections) rejections.inc({ model: other, reason }, 0);
}

/** For the backends, models and tenants of a fleet. */
export function zeroFleet(instruments: Instruments, fleet: FleetView, names: ModelNames): void {
  zeroBackends(instruments, fleet);
  for (const name of fleet.models.keys()) {
    const model = names.of(name);
    if (model !== other) zeroModel(instruments, fleet, model);
  }
}

function zeroBackends({ circuitTransitions, probeFailures, streamsBroken }: Instruments, fleet: FleetView): void {
  for (const { backend } of fleet.backends) {
    for (const to of ['closed', 'half_open', 'open']) circuitTransitions.inc({ backend: backend.name, to }, 0);
    for (const reason of ['timeout', 'refused', 'broken', 'status'])
      probeFailures.inc({ backend: backend.name, probe: 'health', reason }, 0);
    for (const reason of ['backend_broken', 'backend_timeout'] satisfies Outcome[])
      streamsBroken.inc({ backend: backend.name, phase: 'stream', reason }, 0);
  }
}

function zeroModel(instruments: Instruments, { models, tenants, nowMs }: FleetView, model: string): void {
  const { requests, attempts, tokens, usageMissing, failovers, rejections, decisions } = instruments;
  const target = models.get(model);
  if (target === undefined) return;
  const { candidates, policy } = target;
  for (const endpoint of endpointNames) {
    if (candidates.every((candidate) => knownUnable(candidate, endpoint, nowMs))) continue;
    requests.inc({ model, endpoint, outcome: 'ok', status_class: '2xx' }, 0);
    for (const outcome of [...labels.backendFailures, 'no_backend', 'overloaded'])
      requests.inc({ model, endpoint, outcome, status_class: '5xx' }, 0);
  }
  for (const { backend } of candidates) {
    for (const attempt of ['first', 'retry']) attempts.inc({ backend: backend.name, model, attempt, result: 'ok' }, 0);
    usageMissing.inc({ backend: backend.name, model }, 0);
  }
  for (const reason of labels.backendFailures) failovers.inc({ model, reason }, 0);
  for (const reason of labels.modelRejections) rejections.inc({ model, reason }, 0);
  for (const result of labels.plainResults) decisions.inc({ model, policy: policy.name, result }, 0);
  if (models.size * tenants.length > mostTenantModels) return;
  for (const tenant of tenants) for (const type of ['input', 'output']) tokens.inc({ model, tenant, type }, 0);
}

/** With more pairs than this most would stay 0 for ever. */
const mostTenantModels = 250;
