// From what happens to the numbers Prometheus reads. Labels are closed sets: models only by canonical name, and what
// no backend serves is `other`. Labels are given as they come: a bound child of prom-client looks its series up as well.
import { Registry } from 'prom-client';
import type { Leaving } from '../admission/waiting-room.ts';
import type { CircuitState } from '../fleet/circuit.ts';
import type { MetricsSettings } from '../fleet/metrics-settings.ts';
import type { Observer } from '../routing/ports.ts';
import { type CertificateWatch, watchCertificates } from './certificates.ts';
import { type ConfigWatch, watchConfig } from './config.ts';
import { type DiscoveryWatch, watchDiscovery } from './discovery.ts';
import { type FleetView, readThread, readFleet } from './fleet-gauges.ts';
import { forgetSeries } from './forget.ts';
import { createGenaiMetrics } from './genai.ts';
import { createInstruments } from './instruments.ts';
import { type ReportedMetrics, renderMerged } from './merge.ts';
import { ModelNames, other } from './model-names.ts';
import { collectNodeMetrics } from './node.ts';
import { type PressureView, showPressure } from './pressure.ts';
import { countAttempt, countExchange } from './settled.ts';
import { type RoutersWatch, watchRouters } from './placement.ts';
import { type SharedStateWatch, watchSharedState } from './shared-state.ts';
import { countWaste, wasteOfAttempt, wasteOfExchange } from './waste.ts';
import { type WorkersWatch, watchWorkers } from './workers.ts';
import { zeroFleet, zeroRouter } from './zeros.ts';

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
  readonly certificates: CertificateWatch;
  readonly discovery: DiscoveryWatch;
  /** Only where there is shared state. */
  watchSharedState(): SharedStateWatch;
  /** Only where several threads serve. */
  watchWorkers(): WorkersWatch;
  /** Only where placements may hear of those of others. */
  watchRouters(): RoutersWatch;
  /** Prometheus text. The fleet's state is read when asked for, not kept beside the truth. */
  render(fleet: FleetView, others?: readonly ReportedMetrics[]): Promise<MetricsText>;
  /** What was counted here, for the thread that renders. */
  report(fleet: FleetView): Promise<ReportedMetrics>;
}

export interface MetricsText {
  readonly contentType: string;
  readonly text: string;
}

export interface MetricsOptions {
  readonly version: string;
  /** Of the sources it was built from. */
  readonly revision: string;
  readonly settings: MetricsSettings;
  /** Of one thread of several: what is told once of a whole router is not told here. */
  readonly isPart?: boolean;
}

export function createMetrics({ version, revision, settings, isPart = false }: MetricsOptions): Metrics {
  const registry = new Registry();
  const instruments = createInstruments(registry);
  const names = new ModelNames(settings.maxModels);
  const genai = settings.genaiNames ? createGenaiMetrics(registry) : undefined;
  const all = () => [...Object.values(instruments), ...(genai?.all ?? [])];
  const tenantOf = (tenant: string) => (settings.tenants ? tenant : allTenants);
  /** Backends that were asked and have not left: who is still waiting when the last one it asked leaves must not bring its series back. */
  const asked = new Set<string>();
  let shown: FleetView['models'] | undefined;
  collectNodeMetrics(registry, { isPart });
  if (!isPart) instruments.buildInfo.set({ version, revision, node_version: process.version }, 1);
  zeroRouter(instruments);

  /** What has joined begins at 0, what has left goes. */
  async function follow(fleet: FleetView): Promise<void> {
    const gone = names.keep(fleet.models);
    if (gone.size > 0) await forgetSeries(all(), 'model', gone);
    if (fleet.models !== shown)
      zeroFleet(instruments, { ...fleet, tenants: [...new Set(fleet.tenants.map(tenantOf))] }, names);
    shown = fleet.models;
  }

  return {
    accepted(endpoint) {
      instruments.requestsInFlight.inc({ endpoint });
      return () => instruments.requestsInFlight.dec({ endpoint });
    },
    attempted(event) {
      asked.add(event.backend);
      countAttempt(instruments, event, names);
      countWaste(instruments, wasteOfAttempt(event), names);
    },
    letGo: (afterMs) => instruments.hangUpToClosed.observe(afterMs / 1000),
    settled(ended) {
      const isThere = ended.backend === undefined || asked.has(ended.backend);
      const event = isThere ? ended : { ...ended, backend: undefined };
      countExchange(instruments, event, names, tenantOf(event.tenant));
      genai?.settled(event, names.of(event.model), names.of(event.standIn?.model ?? event.model));
      countWaste(instruments, wasteOfExchange(event), names);
    },
    probed(backend, probe, durationMs, failure) {
      instruments.probeDuration.observe({ backend, probe }, durationMs / 1000);
      if (failure !== undefined) instruments.probeFailures.inc({ backend, probe, reason: failure });
    },
    circuitChanged: (backend, _model, to) => instruments.circuitTransitions.inc({ backend, to }),
    waited(model, waitedMs, how) {
      instruments.queueWait.observe({ model: names.of(model) }, waitedMs / 1000);
      if (how === 'queue_timeout') instruments.rejections.inc({ model: names.of(model), reason: how });
    },
    refusedToWait: (model) => instruments.rejections.inc({ model: names.of(model), reason: 'queue_full' }),
    limitKnown(tenant, limit) {
      for (const decision of ['allowed', 'denied'])
        instruments.limitDecisions.inc({ tenant: tenantOf(tenant), limit, decision }, 0);
    },
    limitDecided: (tenant, limit, decision) =>
      instruments.limitDecisions.inc({ tenant: tenantOf(tenant), limit, decision }),
    turnedAway: (reason) => instruments.rejections.inc({ model: other, reason }),
    showPressure: (view) => showPressure(registry, view),
    forgetBackend(backend) {
      asked.delete(backend);
      void forgetSeries(all(), 'backend', new Set([backend]));
    },
    config: watchConfig(registry, Date.now),
    certificates: watchCertificates(registry),
    discovery: watchDiscovery(registry),
    watchSharedState: () => watchSharedState(registry),
    watchWorkers: () => watchWorkers(registry),
    watchRouters: () => watchRouters(registry),
    async render(fleet, others) {
      await follow(fleet);
      readFleet(instruments, fleet, names);
      const text = others === undefined ? await registry.metrics() : await renderMerged(registry, others);
      return { contentType: registry.contentType, text };
    },
    async report(fleet) {
      await follow(fleet);
      readThread(instruments, fleet);
      return registry.getMetricsAsJSON();
    },
  };
}

/** In place of their names, where they are not told apart. */
const allTenants = 'all';
