// Whether a failed attempt may be followed by another one on another backend.
import { type ErrorCode, GatewayError } from '../errors.ts';
import type { Delivery, Exchange } from './exchange.ts';

/** Nothing was sent there, so a third one may be asked. */
const unreached: ReadonlySet<ErrorCode> = new Set(['backend_unreachable', 'connect_timeout']);

/**
 * A connection that did not come about or broke: a box has died, and what it had must go elsewhere, however much that is.
 * The budget is for work that is done twice: for failures that a backend has taken its time for.
 */
const costsNothingElsewhere: ReadonlySet<ErrorCode> = new Set([...unreached, 'backend_broken']);

const maxStrikes = 2;
const maxUnreached = 3;
const maxAttempts = 4;

/** By another backend, from the start or from where the stream broke off. */
export function mayRetry(failure: unknown, { exchange, reply }: Delivery, nowMs: number): boolean {
  if (reply.gone.aborted || !(failure instanceof GatewayError) || nowMs >= exchange.deadlineMs) return false;
  if (reply.committed) return mayGoOn(failure, exchange) && isAffordable(failure, exchange);
  if (failure.row.elsewhere === 'no') return false;
  const most = exchange.wasReached || !isUnreached(failure) ? maxStrikes : maxUnreached;
  if (exchange.strikes + strikesOf(failure) >= most || exchange.attempts >= maxAttempts) return false;
  return isAffordable(failure, exchange);
}

/** What a fallback model has begun is not for the members of the model asked for. */
function mayGoOn(failure: GatewayError, { continuation, standIn }: Exchange): boolean {
  return standIn === undefined && continuation?.maySurvive(failure) === true;
}

function isAffordable(failure: GatewayError, { retries }: Exchange): boolean {
  return strikesOf(failure) === 0 || costsNothingElsewhere.has(failure.code) || retries?.take() !== false;
}

/** Whether no backend was there to be asked. */
export function isUnreached({ code }: GatewayError): boolean {
  return unreached.has(code);
}

/** Whether it is a strike by a backend that was there. */
export function wasReached(failure: unknown): boolean {
  return strikesOf(failure) > 0 && !(failure instanceof GatewayError && isUnreached(failure));
}

/**
 * A backend that has not got the model, or can't do what is asked, has said so at once and for good: it costs nothing,
 * and each such answer leaves one member less to try.
 */
export function strikesOf(failure: unknown): number {
  return failure instanceof GatewayError && failure.code === 'backend_unsuited' ? 0 : 1;
}
