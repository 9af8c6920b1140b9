// Whether a failed attempt may be followed by another one on another backend.
import { GatewayError } from '../errors.ts';
import type { Exchange } from './exchange.ts';
import type { Reply } from './ports.ts';

const maxAttempts = 2;

export function mayRetry(failure: unknown, exchange: Exchange, reply: Reply, nowMs: number): boolean {
  if (reply.committed || reply.gone.aborted) return false;
  if (!(failure instanceof GatewayError) || failure.row.elsewhere === 'no') return false;
  return exchange.attempts < maxAttempts && nowMs < exchange.deadlineMs;
}
