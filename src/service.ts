// The composition root: builds every part, and starts, drains and stops them in order. Nobody imports it but the CLI.
import type { RateLimiter } from './access/limiter.ts';
import { createSlots } from './admission/slots.ts';
import { WaitingRoom } from './admission/waiting-room.ts';
import { type Clock, systemClock } from './clock.ts';
import type { BackendState } from './fleet/backend-state.ts';
import type { Address, Fleet } from './fleet/fleet.ts';
import { createApp } from './http/app.ts';
import { drainServer } from './http/drain.ts';
import type { Operations } from './http/operations.ts';
import { OpenSockets } from './http/open-sockets.ts';
import type { CallerReply } from './http/reply.ts';
import { createServer, listen } from './http/server.ts';
import { type Logger, logExchange } from './log.ts';
import { createMetrics } from './metrics/observe.ts';
import type { Readings } from './pressure/watch.ts';
import type { Observer } from './routing/ports.ts';
import { RetryBudget } from './routing/retry-budget.ts';
import { createRoute } from './routing/route.ts';
import { openFleet } from './service/open-fleet.ts';
import { openLimits } from './service/open-limits.ts';
import { openPressure } from './service/open-pressure.ts';
import { createUpstream } from './upstream/send.ts';

export interface ServiceOptions {
  readonly log: Logger;
  readonly version: string;
  /** Left out: the limits of the fleet file. */
  readonly limiter?: RateLimiter;
  readonly clock?: Clock;
  /** Uniform in [0, 1). */
  readonly random?: () => number;
  /** How long a caller may take to send its body; 60 s unless said. */
  readonly bodyTimeoutMs?: number;
  /** And for the head; 10 s unless said. */
  readonly headTimeoutMs?: number;
  /** What is said to be used up of the router itself, in place of what really is. */
  readonly readings?: Partial<Readings>;
}

export interface Service {
  readonly address: Address;
  /** Resolves when every backend has been asked once. */
  readonly discovered: Promise<void>;
  readonly states: readonly BackendState[];
  models(backend: string): readonly string[];
  /** What is held right now; all zero when nothing runs. */
  held(): Readonly<Record<'running' | 'inFlight' | 'queued' | 'waiting' | 'bodyBytes', number>>;
  /** Finishes what runs, accepts nothing new, and releases everything. `delayMs`: how long new connections still come. */
  stop(how?: { readonly delayMs: number; readonly timeoutMs: number }): Promise<void>;
}

export async function startService(fleet: Fleet, options: ServiceOptions): Promise<Service> {
  const { log, version, clock = systemClock, random = Math.random } = options;
  const { bodyTimeoutMs = 60_000, headTimeoutMs = 10_000 } = options;
  const metrics = createMetrics(version);
  const observer: Observer = {
    attempted: (event) => metrics.attempted(event),
    letGo: (afterMs) => metrics.letGo(afterMs),
    settled(event) {
      metrics.settled(event);
      logExchange(log, fleet.logging.access, event);
    },
  };

  const waitingRoom = new WaitingRoom(clock, {
    left: (model, waitedMs, how) => metrics.waited(model, waitedMs, how),
    refused: (model) => metrics.refusedToWait(model),
  });
  const wake = () => waitingRoom.wake();
  const queues = () => waitingRoom.lengths;
  const open = await openFleet(fleet, { log, metrics, clock, random, queues, usable: wake });
  const { snapshots, roster, connections, inFlight, prober, active } = open;
  const limits = openLimits(fleet, { log, metrics, clock });

  const sockets = new OpenSockets();
  const pressure = openPressure(fleet.server.overload, {
    log,
    metrics,
    clock,
    sockets,
    closeIdle: () => server.closeIdleConnections(),
    readings: options.readings,
  });

  let phase: ReturnType<Operations['phase']> = 'ready';
  const running = new Set<CallerReply>();
  const app = createApp({
    route: createRoute({
      snapshots,
      roster,
      limiter: options.limiter ?? limits.limiter,
      slots: createSlots(inFlight, wake),
      waitingRoom,
      retryBudget: new RetryBudget(fleet.routing.retryBudgetRatio),
      clock,
      observer,
      upstream: createUpstream(connections),
      rediscovery: prober,
    }),
    snapshots,
    observer,
    clock,
    running,
    room: pressure.room,
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
  const server = createServer(app, {
    sockets,
    headTimeoutMs,
    bodyTimeoutMs,
    maxConnections: pressure.maxConnections,
    dropped: () => metrics.turnedAway('connections'),
  });

  await limits.start();
  const address = await listen(server, fleet.server.listen).catch(async (cause: unknown) => {
    await open.close();
    await limits.stop();
    throw cause;
  });
  open.start();
  pressure.start();

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
      waiting: waitingRoom.size,
      bodyBytes: pressure.bytes.held,
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
      pressure.stop();
      await open.close();
      await limits.stop();
    },
  };
}
