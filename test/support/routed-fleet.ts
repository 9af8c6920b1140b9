// The router's own way of a request, with real circuits, in simulated time: only the sockets and the health probes are made up.
import { EventEmitter } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import { createKeyring } from '../../src/access/keyring.ts';
import { ungranted } from '../../src/access/verdicts.ts';
import { plainCounters } from '../../src/admission/counters.ts';
import { LearntLimit } from '../../src/admission/learnt-limit.ts';
import { createSlots } from '../../src/admission/slots.ts';
import { WaitingRoom } from '../../src/admission/waiting-room.ts';
import type { CircuitState } from '../../src/fleet/circuit.ts';
import type { Backend } from '../../src/fleet/fleet.ts';
import { Roster } from '../../src/fleet/roster.ts';
import { Silence } from '../../src/fleet/silence.ts';
import { Exchange } from '../../src/routing/exchange.ts';
import type { Upstream } from '../../src/routing/ports.ts';
import { RetryBudget } from '../../src/routing/retry-budget.ts';
import { createRoute } from '../../src/routing/route.ts';
import { buildSnapshot, createSnapshots } from '../../src/routing/snapshot.ts';
import { isUsable } from '../../src/selection/eligible.ts';
import { leastConnections } from '../../src/selection/policies/least-connections.ts';
import { OpossumCircuit } from '../../src/upstream/circuit.ts';
import { trackHealth } from '../../src/upstream/health.ts';
import { aCaller, aFleet } from './a-fleet.ts';
import { aRequest } from './a-request.ts';
import { FakeCaller } from './fake-delivery.ts';
import { fakeClock } from './fake-clock.ts';
import { seededRandom } from './seeded-random.ts';

/** What a box does with a request that it gets now. */
export type Does = 'serve' | 'fail' | 'refuse';

export interface RoutedFleetWishes {
  readonly backends: readonly string[];
  /** How long an answer takes; 200 unless said. */
  readonly answerMs?: number;
  readonly does: (backend: string, nowMs: number) => Does;
  /** What its health endpoint says; well unless it refuses connections. */
  readonly isWell?: (backend: string, nowMs: number) => boolean;
}

const probeEveryMs = 5_000;
const good = Buffer.from('{"choices":[{"message":{"content":"x"},"finish_reason":"stop"}]}');
const bad = Buffer.from('{"object":"error","message":"Internal Server Error","code":500}');
const json = { 'content-type': 'application/json' };

export function routedFleet({
  backends,
  answerMs = 200,
  does,
  isWell = (name, nowMs) => does(name, nowMs) !== 'refuse',
}: RoutedFleetWishes) {
  const clock = fakeClock(0);
  const random = seededRandom(1);
  const counters = plainCounters();
  const window = new EventEmitter();
  window.setMaxListeners(0);
  /** Of each trip of each backend, in milliseconds, ±20 %. */
  const pauses = new Map(backends.map((name) => [name, [] as number[]]));
  const attempts = new Map(backends.map((name) => [name, 0]));
  const outcomes: { readonly atMs: number; readonly ok: boolean }[] = [];
  const fleet = aFleet({
    backends: backends.map((name) => ({ name, url: `http://${name}:1`, models: ['m'] })),
    queue: { maxLength: 100 },
  });
  const candidates = () => snapshots.current().targets.get('m')?.candidates ?? [];

  const roster = new Roster({
    circuit(backend) {
      let last: CircuitState = 'closed';
      const circuit: OpossumCircuit = new OpossumCircuit(
        backend.circuit,
        {
          clock,
          random,
          mayOpen: () => candidates().some((one) => one.backend.name !== backend.name && isUsable(one, clock.now())),
          changed(state) {
            const before = last;
            last = state;
            // From half open it was a probe that failed, and the pause is the same again.
            if (state === 'open' && before === 'closed')
              pauses.get(backend.name)?.push((circuit.retryAtMs ?? 0) - clock.now());
            if (state === 'closed') roster.member(backend, 'm').backSinceMs = clock.now();
            waitingRoom.wake();
          },
          wantsProbe: () => probe(backend),
        },
        { controller: window, close: () => {} },
      );
      return circuit;
    },
    silence: ({ stallAfterMs }) => new Silence({ clock, stallAfterMs, changed: () => waitingRoom.wake() }),
    limit: () => new LearntLimit(),
  });
  const waitingRoom = new WaitingRoom(clock, { left: () => {}, refused: () => {} });
  const tracks = new Map(fleet.backends.map(({ name, probe: settings }) => [name, trackHealth(() => settings)]));
  const probe = (backend: Backend) => {
    const well = isWell(backend.name, clock.now());
    const state = roster.of(backend);
    state.health = tracks.get(backend.name)?.next(well ? 'up' : 'down') ?? 'unknown';
    for (const member of state.members.values()) member.circuit.probed(well);
    waitingRoom.wake();
  };
  const probeAll = () => {
    for (const backend of fleet.backends) probe(backend);
    clock.after(probeEveryMs, probeAll);
  };
  const turn = () => {
    window.emit('rotate');
    clock.after(3_000, turn);
  };
  for (const backend of fleet.backends) roster.of(backend).probedOnce = true;
  const upstream: Upstream = {
    send({ name }, _request, handler) {
      attempts.set(name, (attempts.get(name) ?? 0) + 1);
      const begins = does(name, clock.now());
      if (begins !== 'refuse') handler.connected();
      const abort = clock.after(begins === 'refuse' ? 1 : answerMs, () => {
        if (begins === 'refuse') return handler.failed({ kind: 'unreachable', code: 'ECONNREFUSED' });
        // Gone down meanwhile.
        if (does(name, clock.now()) === 'refuse') return handler.failed({ kind: 'broken', code: 'ECONNRESET' });
        handler.head(begins === 'serve' ? 200 : 500, json);
        handler.data(begins === 'serve' ? good : bad);
        handler.ended();
      });
      return { abort, pause: () => {}, resume: () => {} };
    },
  };
  const snapshots = createSnapshots(
    buildSnapshot(fleet, {
      roster,
      keyring: createKeyring(fleet),
      makePolicy: leastConnections,
      policyParts: { inFlight: counters, clock, random },
    }),
  );
  const route = createRoute({
    snapshots,
    roster,
    limiter: { take: () => Promise.resolve(ungranted) },
    slots: createSlots(counters, () => waitingRoom.wake()),
    waitingRoom,
    retryBudget: new RetryBudget(fleet.routing.retryBudgetRatio),
    clock,
    observer: {
      attempted: () => {},
      letGo: () => {},
      settled: ({ outcome }) => outcomes.push({ atMs: clock.now(), ok: outcome === 'ok' }),
    },
    upstream,
    rediscovery: { refresh: () => {} },
  });
  probeAll();
  turn();

  return {
    clock,
    pauses,
    attempts,
    outcomes,
    /** One request every so many milliseconds. */
    async run(ms: number, everyMs: number): Promise<void> {
      for (let passedMs = 0; passedMs < ms; passedMs += everyMs) {
        const exchange = new Exchange('id', 'chat-completions', aCaller(), clock.now());
        route(exchange, aRequest({ needs: ['chat-completions'] }), new FakeCaller()).catch(() => {});
        await setImmediate();
        clock.advance(everyMs);
        await setImmediate();
      }
    },
    close: () => roster.close(),
  };
}
