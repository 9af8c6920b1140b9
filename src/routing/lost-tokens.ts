// Output tokens that a backend had produced for an attempt, and that nobody was given.
import type { Exchange } from './exchange.ts';
import type { AttemptFailure } from './failures.ts';

/**
 * As told by the backend: in the reply that was thrown away, or in a stream before its first content. Nothing is lost
 * where an answer has begun to leave, or where the caller left: that is for the end of the exchange to tell.
 */
export function lostTokens({ answered, usage }: Exchange, failure: AttemptFailure | undefined): number {
  if (failure === undefined || answered || failure.error.code === 'client_closed') return 0;
  return failure.lostTokens ?? usage?.outputTokens ?? 0;
}
