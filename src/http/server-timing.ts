// The header `server-timing`: where the time of an answer went, in milliseconds, as browsers and SDKs can read it.
// https://www.w3.org/TR/server-timing/#the-server-timing-header-field
import type { Exchange } from '../routing/exchange.ts';
import { inHundredths } from '../routing/timings.ts';

/** What does not apply is left out: who never waited has no `queue`, and an error of ours no `ttft`. */
export function serverTiming({ queuedMs, timings, ttftMs }: Exchange, nowMs: number): string {
  const { connectMs } = timings;
  let entries = `route;dur=${inHundredths(timings.routeMs(nowMs, queuedMs))}`;
  if (queuedMs > 0) entries = `queue;dur=${inHundredths(queuedMs)}, ${entries}`;
  if (connectMs !== undefined) entries += `, connect;dur=${inHundredths(connectMs)}`;
  if (ttftMs !== undefined) entries += `, ttft;dur=${inHundredths(ttftMs)}`;
  return entries;
}

/** Of an answer that needed no backend. */
export function unroutedTiming(tookMs: number): string {
  return `route;dur=${inHundredths(tookMs)}`;
}
