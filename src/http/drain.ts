// Stopping a server that holds streams. `server.close()` alone is no drain: it leaves kept-alive connections open and
// goes on answering on them, and it never ends what is running.
import { Server as TcpServer } from 'node:net';
import type { Clock } from '../clock.ts';
import { GatewayError } from '../errors.ts';
import type { CallerReply } from './reply.ts';
import type { Running } from './running.ts';
import type { AnyServer } from './secure.ts';

export interface DrainParts {
  readonly clock: Clock;
  /** Ends connections on which nothing has come for so long since their last answer. */
  closeIdle(ms: number): void;
  /** Ends connections on which no request is under way, also those that never sent a whole head. */
  closeUnused(): void;
  readonly running: Running<CallerReply>;
  /** From now on new requests are refused with 503 `draining`. */
  refuseNew(): void;
}

/** The last moments before the deadline, in which nothing new is taken any more. */
const refuseBeforeMs = 5_000;
/** For a request that was on its way when the stop came; after it, connections without one are of no use. */
const arrivalMs = 5_000;
/** Who goes on asking on an old connection does so within this time of an answer, and is answered with `close` then. */
const idleMs = 1_000;
const sweepMs = 100;
/** For the last event to leave. */
const flushMs = 500;

/** Stops listening, waits for what runs, at most `timeoutMs`, and then ends it with an error event. */
export async function drainServer(server: AnyServer, timeoutMs: number, parts: DrainParts): Promise<void> {
  const { clock, running } = parts;
  const closed = new Promise<void>((resolve) => {
    // The HTTP server's own also ends, at once, every connection whose last answer is out: the one whose caller is just
    // about to send the next request, too.
    TcpServer.prototype.close.call(server, () => resolve());
  });
  const refuseInMs = timeoutMs - refuseBeforeMs;
  if (refuseInMs <= 0) parts.refuseNew();
  const cancels = [
    clock.after(Math.max(0, refuseInMs), () => parts.refuseNew()),
    // `closeIdleConnections` takes a connection that has not sent a head yet for a busy one.
    clock.after(Math.min(arrivalMs, timeoutMs), () => parts.closeUnused()),
    clock.after(timeoutMs, () => {
      for (const reply of running.list())
        reply.cutOff(new GatewayError('draining', 'This router was stopped before the answer was complete.'));
    }),
    clock.after(timeoutMs + flushMs, () => server.closeAllConnections()),
  ];
  const sweep = setInterval(() => parts.closeIdle(idleMs), sweepMs);
  parts.closeIdle(idleMs);
  await closed;
  // What is left of it: a timer that looks after connections.
  server.close(() => {});
  clearInterval(sweep);
  for (const cancel of cancels) cancel();
}
