// Everything towards the backends, built and taken down together.
import type { Keyring } from '../access/keyring.ts';
import type { Counters } from '../admission/counters.ts';
import { LearntLimit } from '../admission/learnt-limit.ts';
import type { Clock } from '../clock.ts';
import { adminStateOf } from '../fleet/backend-state.ts';
import type { Backend, Fleet } from '../fleet/fleet.ts';
import { Roster } from '../fleet/roster.ts';
import { Silence } from '../fleet/silence.ts';
import type { Logger } from '../log.ts';
import type { FleetView } from '../metrics/fleet-gauges.ts';
import type { Metrics } from '../metrics/observe.ts';
import { buildSnapshot, createSnapshots, type Snapshots } from '../routing/snapshot.ts';
import { isUsable } from '../selection/eligible.ts';
import { CandidateCosts } from '../selection/placement/candidates.ts';
import { Placement } from '../selection/placement/placement.ts';
import { createSimulatedFleet } from '../simulated/fleet.ts';
import { createCircuits } from '../upstream/circuits.ts';
import { createConnections } from '../upstream/connections.ts';
import { rememberingLookup } from '../upstream/remembered-names.ts';
import { createProber, type Prober } from '../upstream/probers.ts';
import { LiveFleet } from './live-fleet.ts';
import { policyOf } from './policy-of.ts';
import { type FleetSharing, unshared } from './fleet-sharing.ts';
import type { Recorder } from './report/recorder.ts';
import { watchHandshakes } from './watch-handshakes.ts';
import { watchPanic } from './watch-panic.ts';

export interface FleetParts {
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly random: () => number;
  readonly inFlight: Counters;
  readonly recorder: Recorder;
  /** Groups of backends of which nobody knows yet who is in them. */
  readonly unheard: () => number;
  /** How many wait for each model. */
  readonly queues: () => ReadonlyMap<string, number>;
  /** A backend may be able to take what it could not take before. */
  readonly usable: () => void;
  /** Left out: nobody else serves from it. */
  readonly sharing?: FleetSharing | undefined;
}

export type OpenFleet = Awaited<ReturnType<typeof openFleet>>;

/** Connections, state, circuits, probes, and the snapshot made of what they find. */
export async function openFleet(first: Fleet, parts: FleetParts) {
  const { log, metrics, clock, random, inFlight, recorder, unheard, queues, usable, sharing = unshared } = parts;
  const simulated = createSimulatedFleet();
  const connections = createConnections({
    lookup: rememberingLookup(clock),
    urlOf: (backend) => backend.url ?? simulated.urlOf(backend) ?? 'http://127.0.0.1:9',
  });
  const circuits = createCircuits({
    clock,
    random,
    changed(backend, model, state) {
      if (state === 'closed') {
        roster.member(backend, model).backSinceMs = clock.now();
        sharing.cameBack(backend, model);
      }
      metrics.circuitChanged(backend.name, model, state);
      recorder.changed(backend.name, `${circuitWords[state]} (${model})`);
      log.warn({ backend: backend.name, model, circuit: state }, 'circuit changed');
      lookForPanic();
      usable();
    },
    wantsProbe: (backend) => prober.soon(backend.name),
    words: (backend, model) => sharing.circuitWords(backend, model),
    mayOpen: (backend, model) => {
      const others = snapshots.current().targets.get(model)?.candidates ?? [];
      return others.some((other) => other.backend.name !== backend.name && isUsable(other, clock.now()));
    },
  });
  const roster = new Roster({
    circuit: circuits.make,
    holdOff: (backend, model) => sharing.holdOff(backend, model),
    silence({ name, stallAfterMs }, index) {
      const changed = (stalled: boolean) => {
        recorder.changed(name, stalled ? 'stalled' : 'no longer stalled');
        log[stalled ? 'warn' : 'info']({ backend: name, stalled }, 'backend changed');
        usable();
      };
      const others = sharing.ears(index);
      return new Silence({ clock, stallAfterMs, changed, ...(others === undefined ? {} : { others }) });
    },
    limit: (_backend, index) => sharing.limit(index, new LearntLimit()),
  });
  const costs = new CandidateCosts(new Placement(clock, random, first.routing.leastCost), clock, inFlight);
  const build = (fleet: Fleet, keyring: Keyring) =>
    buildSnapshot(fleet, {
      roster,
      keyring,
      makePolicy: policyOf(fleet),
      policyParts: { inFlight, clock, random, costs },
      unheard,
    });
  const handshakes = watchHandshakes(log);
  const lookForPanic = watchPanic(() => snapshots.current().targets, log);
  const discovery = Promise.withResolvers<void>();
  // Once and for all: a router that takes in another backend does not stop being ready.
  let isDiscovered = false;
  const noteDiscovery = () => {
    if (isDiscovered || !live.active.every((backend) => roster.of(backend).probedOnce)) return;
    // It could send nobody anywhere, and a model that it does not know yet is none that is not there.
    if (live.active.length === 0 && unheard() > 0) return;
    isDiscovered = true;
    // Whoever has waited for that finds what was discovered.
    snapshots.current();
    discovery.resolve();
  };
  const prober: Prober = createProber({
    connections,
    clock,
    random,
    observer: {
      shookHands: (backend, trouble) => handshakes.shookHands(backend, trouble),
      probed: (backend, probe, durationMs, failure) => metrics.probed(backend, probe, durationMs, failure),
      found: (backend, problem) => recorder.backends.probed(backend, problem),
      // Of who is up nobody asks when it is looked at again.
      scheduled: (state) => void (state.health !== 'up' && sharing.stateChanged(state)),
      healthChanged(state, before) {
        const { name, engine, health } = state;
        sharing.stateChanged(state);
        recorder.changed(name, `${before} → ${health}`);
        log[health === 'up' ? 'info' : 'warn']({ backend: name, engine, health, before }, 'backend changed');
        lookForPanic();
        usable();
      },
      modelsChanged(state) {
        sharing.stateChanged(state);
        snapshots.renew(() => live.build());
        lookForPanic();
        usable();
        noteDiscovery();
        live.probed();
      },
    },
  });
  const live = new LiveFleet(first, {
    clock,
    log,
    inFlight: { ...inFlight, read: (index) => inFlight.read(index) + sharing.unaware() },
    cut(backend) {
      sharing.cut(backend);
      return connections.drop(backend);
    },
    roster,
    prober,
    connections,
    circuits,
    simulated,
    build,
    usable() {
      sharing.fleetChanged();
      lookForPanic();
      usable();
      // Who was still waited for may have left.
      noteDiscovery();
    },
    snapshots: () => snapshots,
    left(backend) {
      const { name } = backend;
      const isGone = live.current.backends.every((other) => other.name !== name);
      sharing.left(backend, isGone);
      if (!isGone) return;
      metrics.forgetBackend(name);
      recorder.backends.forget(name);
      handshakes.forget(name);
    },
  });
  await Promise.all(first.backends.map((backend) => simulated.start(backend)));
  const snapshots: Snapshots = createSnapshots(live.build());
  for (const backend of live.active) prober.add(backend, roster.of(backend));
  const named = (name: string) => live.current.backends.find((backend) => backend.name === name);
  const inFlightOf = (backend: Backend) => inFlight.read(roster.of(backend).index);
  const view = (): FleetView => ({
    backends: live.current.backends.map((backend) => ({
      backend,
      state: roster.of(backend),
      inFlight: inFlightOf(backend),
      connections: connections.openTo(backend),
    })),
    models: snapshots.current().targets,
    tenants: tenantsOf(live.current),
    queues: queues(),
    prefixes: costs.placement.index.entries,
    nowMs: clock.now(),
    wallMs: Date.now(),
  });

  return {
    live,
    snapshots,
    roster,
    connections,
    prober,
    placement: costs.placement,
    roll: () => costs.roll(snapshots.current().targets),
    view,
    isDiscovered: () => isDiscovered,
    /** Of backends that run beside the router, by identity. */
    urls: () => simulated.urls(),
    discovered: discovery.promise,
    /** Takes a backend out of rotation, or back into it; undefined: there is none of this name. */
    drain(name: string, draining: boolean) {
      const backend = named(name);
      if (backend === undefined) return undefined;
      const state = roster.of(backend);
      if (state.draining !== draining) {
        recorder.changed(name, draining ? 'drained' : 'undrained');
        log.info({ backend: name, draining }, 'backend drain');
      }
      state.draining = draining;
      sharing.stateChanged(state);
      if (!draining) usable();
      return { state: adminStateOf(backend, state), inFlight: inFlightOf(backend) };
    },
    /** What there is for backends, those included that have left the fleet but not the router yet. */
    counts: () => ({
      states: [...roster.all()].length,
      leaving: live.departures.size,
      connections: connections.size,
      probes: prober.size,
      simulated: simulated.size,
      timers: circuits.timers,
    }),
    start() {
      prober.start();
      noteDiscovery();
    },
    async close() {
      await live.close();
      await prober.stop();
      // What is still to be made would be made after the end, with circuits that nobody closes.
      snapshots.current();
      roster.close();
      circuits.close();
      await connections.close();
      await simulated.close();
    },
  };
}

function tenantsOf({ auth }: Fleet): readonly string[] {
  return auth.mode === 'none' ? ['anonymous'] : [...new Set(auth.keys.map(({ tenant }) => tenant))];
}
const circuitWords = { open: 'circuit opened', half_open: 'circuit half open', closed: 'circuit closed' } as const;
