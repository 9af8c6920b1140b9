// Everything towards the backends, built and taken down together.
import { createKeyring } from '../access/keyring.ts';
import { plainCounters } from '../admission/counters.ts';
import { LearntLimit } from '../admission/learnt-limit.ts';
import type { Clock } from '../clock.ts';
import type { Fleet } from '../fleet/fleet.ts';
import { Roster } from '../fleet/roster.ts';
import { Silence } from '../fleet/silence.ts';
import type { Logger } from '../log.ts';
import type { FleetView } from '../metrics/fleet-gauges.ts';
import type { Metrics } from '../metrics/observe.ts';
import { buildSnapshot, createSnapshots } from '../routing/snapshot.ts';
import { isUsable } from '../selection/eligible.ts';
import { policies } from '../selection/policies/index.ts';
import { startSimulatedFleet } from '../simulated/fleet.ts';
import { createCircuits } from '../upstream/circuits.ts';
import { createConnections } from '../upstream/connections.ts';
import { createProber } from '../upstream/prober.ts';
import { watchPanic } from './watch-panic.ts';

export interface FleetParts {
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly random: () => number;
  /** How many wait for each model. */
  readonly queues: () => ReadonlyMap<string, number>;
  /** A backend may be able to take what it could not take before. */
  readonly usable: () => void;
}

/** Connections, state, circuits, probes, and the snapshot made of what they find. */
export async function openFleet(fleet: Fleet, { log, metrics, clock, random, queues, usable }: FleetParts) {
  const simulated = await startSimulatedFleet(fleet);
  const connections = createConnections({
    urlOf: (backend) => backend.url ?? simulated.urls.get(backend.name) ?? 'http://127.0.0.1:9',
  });
  const circuits = createCircuits({
    clock,
    random,
    changed(backend, model, state) {
      if (state === 'closed') roster.member(backend, model).backSinceMs = clock.now();
      metrics.circuitChanged(backend.name, model, state);
      log.warn({ backend: backend.name, model, circuit: state }, 'circuit changed');
      lookForPanic();
      usable();
    },
    wantsProbe: (backend) => prober.soon(backend.name),
    mayOpen: (backend, model) => {
      const others = snapshots.current().targets.get(model)?.candidates ?? [];
      return others.some((other) => other.backend.name !== backend.name && isUsable(other, clock.now()));
    },
  });
  const roster = new Roster({
    circuit: circuits.make,
    silence({ name, stallAfterMs }) {
      const changed = (stalled: boolean) => {
        log[stalled ? 'warn' : 'info']({ backend: name, stalled }, 'backend changed');
        usable();
      };
      return new Silence({ clock, stallAfterMs, changed });
    },
    limit: () => new LearntLimit(),
  });
  const inFlight = plainCounters();
  const keyring = createKeyring(fleet);
  const policyParts = { inFlight, clock, random };
  const build = () => buildSnapshot(fleet, { roster, keyring, makePolicy: makePolicyOf(fleet), policyParts });
  const snapshots = createSnapshots(build());
  const lookForPanic = watchPanic(() => snapshots.current().targets, log);
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
          lookForPanic();
          usable();
        },
        modelsChanged() {
          snapshots.publish(build());
          lookForPanic();
          usable();
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
    return { backends, models: snapshots.current().targets, queues: queues(), nowMs: clock.now() };
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
