// What the headers of an answer could not tell, because its head had left before it was known: a comment at the end of its
// stream, with the words of the access log.
import type { Exchange } from './exchange.ts';
import type { Reply } from './ports.ts';
import { inHundredths } from './timings.ts';

export function sayTrailer(exchange: Exchange, reply: Reply, nowMs: number): void {
  const continued = exchange.continuation?.times ?? 0;
  if (exchange.patience?.spoke !== true && continued === 0) return;
  const { backend = 'none', attempts, served, standIn, queuedMs, timings, ttftMs, arrivedMs } = exchange;
  const words: readonly (readonly [string, string | number | undefined])[] = [
    ['backend', backend],
    ['attempts', attempts],
    ['model', served],
    ['fallback', standIn?.cause],
    ['continued', continued > 0 ? continued : undefined],
    ['queue_ms', whole(queuedMs > 0 ? queuedMs : undefined)],
    ['route_ms', inHundredths(timings.routeMs(nowMs, queuedMs))],
    ['connect_ms', inHundredths(timings.connectMs)],
    ['ttft_ms', whole(ttftMs)],
    ['duration_ms', Math.round(nowMs - arrivedMs)],
  ];
  reply.comment(
    `switchyard ${words.flatMap(([word, value]) => (value === undefined ? [] : `${word}=${value}`)).join(' ')}`,
  );
}

function whole(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : Math.round(ms);
}
