// The composition root: builds every part, and starts, drains and stops them in order. Nobody imports it but the CLI.
import { type Keyring, createKeyring } from './access/keyring.ts';
import { type RateLimiter, unlimited } from './access/limiter.ts';
import { plainCounters } from './admission/counters.ts';
import { createSlots } from './admission/slots.ts';
import { type Clock, systemClock } from './clock.ts';
import type { BackendState } from './fleet/backend-state.ts';
import type { Address, Fleet } from './fleet/fleet.ts';
import { Roster } from './fleet/roster.ts';
import { createApp } from './http/app.ts';
import { drainServer } from './http/drain.ts';
import type { Operations } from './http/operations.ts';
import { OpenSockets } from './http/open-sockets.ts';
import type { CallerReply } from './http/reply.ts';
import { createServer, listen } from './http/server.ts';
import { type Logger, logExchange } from './log.ts';
import type { FleetView } from './metrics/fleet-gauges.ts';
import { createMetrics, type Metrics } from './metrics/observe.ts';
import type { Observer } from './routing/ports.ts';
import { createRoute } from './routing/route.ts';
import { buildSnapshot, createSnapshots } from './routing/snapshot.ts';
import { isUsable } from './selection/eligible.ts';
import { policies } from './selection/policies/index.ts';
import { startSimulatedFleet } from './simulated/fleet.ts';
import { createCircuits } from './upstream/circuits.ts';
import { createConnections } from './upstream/connections.ts';
import { createProber } from './upstream/prober.ts';
import { createUpstream } from './upstream/send.ts';

export interface ServiceOptions {
  readonly log: Logger;
  readonly version: string;
  /** Left out: no limits. */
  readonly limiter?: RateLimiter;
  readonly clock?: Clock;
  /** Uniform in [0, 1). */
  readonly random?: () => number;
  /** How long a caller may take to send its body; 60 s unless said. */
  readonly bodyTimeoutMs?: number;
}

export interface Service {
  readonly address: Address;
  /** Resolves when every backend has been asked once. */
  readonly discovered: Promise<void>;
  readonly states: readonly BackendState[];
  models(backend: string): readonly string[];
  /** What is held right now; all zero when nothing runs. */
  held(): { readonly running: number; readonly inFlight: number; readonly queued: number };
  /** Finishes what runs, accepts nothing new, and releases everything. `delayMs`: how long new connections still come. */
  stop(how?: { readonly delayMs: number; readonly timeoutMs: number }): Promise<void>;
}

export async function startService(fleet: Fleet, options: ServiceOptions): Promise<Service> {
  const {
    log,
    version,
    limiter = unlimited,
    clock = systemClock,
    random = Math.random,
    bodyTimeoutMs = 60_000,
  } = options;
  const metrics = createMetrics(version);
  const observer: Observer = {
    attempted: (event) => metrics.attempted(event),
    settled(event) {
      metrics.settled(event);
      logExchange(log, fleet.logging.access, event);
    },
  };

  const open = await openFleet(fleet, { log, metrics, clock, random });
  const { snapshots, roster, connections, inFlight, prober, active } = open;

  let phase: ReturnType<Operations['phase']> = 'ready';
  const running = new Set<CallerReply>();
  const keyring: Keyring = createKeyring(fleet.auth);
  const app = createApp({
    route: createRoute({
      snapshots,
      roster,
      limiter,
      slots: createSlots(inFlight),
      clock,
      observer,
      upstream: createUpstream(connections),
      rediscovery: prober,
    }),
    snapshots,
    keyring,
    observer,
    clock,
    running,
    accepted: (endpoint) => metrics.accepted(endpoint),
    limits: { maxBytes: fleet.server.maxBodyBytes, timeoutMs: bodyTimeoutMs },
    forwardHeaders: fleet.server.forwardHeaders,
    wallClock: Date.now,
    operations: {
      phase: () => phase,
      discovered: open.isDiscovered,
      metrics: () => (fleet.server.metrics ? metrics.render(open.view()) : undefined),
    },
  });
  const sockets = new OpenSockets();
  const server = createServer(app, sockets, bodyTimeoutMs);

  const address = await listen(server, fleet.server.listen).catch(async (cause: unknown) => {
    await open.close();
    throw cause;
  });
  open.start();

  return {
    address,
    discovered: open.discovered,
    states: active.map((backend) => roster.of(backend)),
    models: (backend) =>
      [...snapshots.current().targets.values()]
        .filter(({ candidates }) => candidates.some((one) => one.backend.name === backend))
        .map(({ model }) => model.name),
    held: () => ({
      running: running.size,
      inFlight: active.reduce((sum, backend) => sum + inFlight.read(roster.of(backend).index), 0),
      queued: connections.queued(),
    }),
    async stop({ delayMs, timeoutMs } = { delayMs: 0, timeoutMs: 0 }) {
      phase = 'stopping';
      if (delayMs > 0) await new Promise<void>((resolve) => void clock.after(delayMs, resolve));
      await drainServer(server, timeoutMs, {
        clock,
        running,
        closeUnused: () => sockets.closeUnused(),
        refuseNew() {
          phase = 'closing';
        },
      });
      await open.close();
    },
  };
}

interface FleetParts {
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly random: () => number;
}

/** Everything towards the backends: connections, state, circuits, probes, and the snapshot made of what they find. */
async function openFleet(fleet: Fleet, { log, metrics, clock, random }: FleetParts) {
  const simulated = await startSimulatedFleet(fleet);
  const connections = createConnections({
    urlOf: (backend) => backend.url ?? simulated.urls.get(backend.name) ?? 'http://127.0.0.1:9',
  });
  const circuits = createCircuits({
    clock,
    random,
    changed(backend, model, state) {
      metrics.circuitChanged(backend.name, model, state);
      log.warn({ backend: backend.name, model, circuit: state }, 'circuit changed');
    },
    wantsProbe: (backend) => prober.soon(backend.name),
    mayOpen: (backend, model) => {
      const others = snapshots.current().targets.get(model)?.candidates ?? [];
      return others.some((other) => other.backend.name !== backend.name && isUsable(other, clock.now()));
    },
  });
  const roster = new Roster(circuits.make);
  const inFlight = plainCounters();
  const build = () => buildSnapshot(fleet, roster, makePolicyOf(fleet), { inFlight, clock, random });
  const snapshots = createSnapshots(build());
  const active = fleet.backends.filter((backend) => backend.state !== 'disabled');
  const discovery = Promise.withResolvers<void>();
  const isDiscovered = () => active.every((backend) => roster.of(backend).probedOnce);
  const prober = createProber(
    active.map((backend) => [backend, roster.of(backend)] as const),
    {
      connections,
      clock,
      random,
      observer: {
        probed: (backend, probe, durationMs, failure) => metrics.probed(backend, probe, durationMs, failure),
        healthChanged({ name, engine, health }, before) {
          log[health === 'up' ? 'info' : 'warn']({ backend: name, engine, health, before }, 'backend changed');
        },
        modelsChanged() {
          snapshots.publish(build());
          if (isDiscovered()) discovery.resolve();
        },
      },
    },
  );
  const view = (): FleetView => {
    const sockets = connections.open();
    const backends = fleet.backends.map((backend) => {
      const state = roster.of(backend);
      return { backend, state, inFlight: inFlight.read(state.index), connections: sockets.get(backend.name) ?? 0 };
    });
    return { backends, models: snapshots.current().targets, nowMs: clock.now() };
  };

  return {
    active,
    snapshots,
    roster,
    connections,
    inFlight,
    prober,
    view,
    isDiscovered,
    discovered: discovery.promise,
    start() {
      prober.start();
      if (isDiscovered()) discovery.resolve();
    },
    async close() {
      await prober.stop();
      roster.close();
      circuits.close();
      await connections.close();
      await simulated.close();
    },
  };
}

function makePolicyOf(fleet: Fleet) {
  const found = Object.entries(policies).find(([name]) => name === fleet.routing.policy);
  return found === undefined ? policies['least-connections'] : found[1];
}
