// Everything towards the callers, built and taken down together: the app, its listening socket, and how much of them there is
// room for.
import type { Clock } from '../clock.ts';
import type { Address, Fleet } from '../fleet/fleet.ts';
import type { OverloadSettings } from '../fleet/overload-settings.ts';
import { createApp } from '../http/app.ts';
import { drainServer } from '../http/drain.ts';
import { OpenSockets } from '../http/open-sockets.ts';
import type { Operations } from '../http/operations.ts';
import type { CallerReply } from '../http/reply.ts';
import { Running } from '../http/running.ts';
import { createExchange } from '../http/secure.ts';
import { createServer, listen } from '../http/server.ts';
import type { Logger } from '../log.ts';
import type { Metrics } from '../metrics/observe.ts';
import type { Readings } from '../pressure/watch.ts';
import type { Observer, TraceStart } from '../routing/ports.ts';
import type { Route } from '../routing/route.ts';
import type { Snapshots } from '../routing/snapshot.ts';
import { openPressure } from './open-pressure.ts';

export interface CallersParts {
  readonly route: Route;
  readonly snapshots: Snapshots;
  readonly observer: Observer;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** The one that runs now. */
  readonly fleet: () => Fleet;
  readonly discovered: Operations['discovered'];
  readonly render: Operations['metrics'];
  readonly headTimeoutMs: number;
  readonly bodyTimeoutMs: number;
  readonly readings: Partial<Readings> | undefined;
  readonly trace: TraceStart | undefined;
  /** Under which requests are known that come back; the same in all threads. */
  readonly routerId: string;
  /** How many serve on this port, this one included. */
  readonly threads: number;
}

export type Callers = ReturnType<typeof openCallers>;

export function openCallers(first: Fleet, parts: CallersParts) {
  const { clock, log, metrics, fleet, headTimeoutMs, bodyTimeoutMs } = parts;
  const sockets = new OpenSockets(clock);
  const pressure = openPressure(partOf(first, parts.threads), {
    log,
    metrics,
    clock,
    sockets,
    // The HTTP server's own also ends connections whose last answer was written and not yet taken.
    closeIdle: () => sockets.closeIdle(0),
    readings: parts.readings,
    threads: parts.threads,
  });
  let phase: ReturnType<Operations['phase']> = 'ready';
  const running = new Running<CallerReply>();
  const operations: Operations = { phase: () => phase, discovered: parts.discovered, metrics: parts.render };
  const app = createApp({
    route: parts.route,
    snapshots: parts.snapshots,
    observer: parts.observer,
    clock,
    running,
    routerId: parts.routerId,
    room: pressure.room,
    accepted: (endpoint) => metrics.accepted(endpoint),
    limits: {
      get maxBytes() {
        return fleet().server.maxBodyBytes;
      },
      timeoutMs: bodyTimeoutMs,
    },
    forwardHeaders: () => fleet().server.forwardHeaders,
    wallClock: Date.now,
    trace: parts.trace,
    operations: { ...operations, metrics: () => (fleet().server.metrics ? operations.metrics() : undefined) },
  });
  const server = createServer(app, {
    sockets,
    headTimeoutMs,
    bodyTimeoutMs,
    maxConnections: pressure.maxConnections,
    dropped: () => metrics.turnedAway('connections'),
    tls: first.server.tls,
  });
  const exchange = createExchange(server, first.server.tls);
  metrics.certificates.expires('callers', first.server.tls?.expiresAtMs);
  return {
    /** As they are on every port. */
    operations,
    listen: (): Promise<Address> => listen(server, first.server.listen, { isShared: parts.threads > 1 }),
    start: () => pressure.start(),
    /** Only what it shows to those who connect: the rest is read when it is needed. */
    apply({ server: { tls } }: Fleet): void {
      if (first.server.tls === undefined) return;
      exchange(tls);
      metrics.certificates.expires('callers', tls?.expiresAtMs);
    },
    /** Nothing has been served yet. */
    abandon: () => void server.close(),
    held: () => ({ running: running.size, bodyBytes: pressure.bytes.held }),
    async drain({ delayMs, timeoutMs }: { readonly delayMs: number; readonly timeoutMs: number }): Promise<void> {
      phase = 'stopping';
      if (delayMs > 0) await new Promise<void>((resolve) => void clock.after(delayMs, resolve));
      // The delay is a part of the time there is.
      await drainServer(server, Math.max(0, timeoutMs - delayMs), {
        clock,
        running,
        closeIdle: (ms) => sockets.closeIdle(ms),
        closeUnused: () => sockets.closeUnused(),
        refuseNew() {
          phase = 'closing';
        },
      });
      pressure.stop();
    },
  };
}

/** A body of any size that may be sent has room, also where that is more than one of several has by itself. */
function partOf({ server: { overload, maxBodyBytes } }: Fleet, threads: number): OverloadSettings {
  return threads === 1
    ? overload
    : { ...overload, bufferedBytes: Math.max(overload.bufferedBytes / threads, maxBodyBytes) };
}
