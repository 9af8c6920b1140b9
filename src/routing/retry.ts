// Whether a failed attempt may be followed by another one on another backend.
import { GatewayError } from '../errors.ts';
import type { Delivery } from './exchange.ts';

const maxAttempts = 2;

export function mayRetry(failure: unknown, { exchange, reply }: Delivery, nowMs: number): boolean {
  if (reply.committed || reply.gone.aborted) return false;
  if (!(failure instanceof GatewayError) || failure.row.elsewhere === 'no') return false;
  return exchange.attempts < maxAttempts && nowMs < exchange.deadlineMs;
}
