// What the headers of an answer could not tell, because its head had left before it was known: a comment at the end of its
// stream, with the words of the access log.
import type { Exchange } from './exchange.ts';
import type { Reply } from './ports.ts';

export function sayTrailer(exchange: Exchange, reply: Reply, nowMs: number): void {
  const continued = exchange.continuation?.times ?? 0;
  if (exchange.patience?.spoke !== true && continued === 0) return;
  const { backend = 'none', attempts, served, standIn, queuedMs, firstTokenAtMs, arrivedMs } = exchange;
  const words: readonly (readonly [string, string | number | undefined])[] = [
    ['backend', backend],
    ['attempts', attempts],
    ['model', served],
    ['fallback', standIn?.cause],
    ['continued', continued > 0 ? continued : undefined],
    ['queue_ms', queuedMs > 0 ? Math.round(queuedMs) : undefined],
    ['first_token_ms', firstTokenAtMs === undefined ? undefined : Math.round(firstTokenAtMs - arrivedMs)],
    ['duration_ms', Math.round(nowMs - arrivedMs)],
  ];
  reply.comment(
    `switchyard ${words.flatMap(([word, value]) => (value === undefined ? [] : `${word}=${value}`)).join(' ')}`,
  );
}
