// How long a backend goes on working for a caller that has hung up: until its socket is closed.
import type { Clock } from '../clock.ts';
import type { AttemptFailure } from './failures.ts';
import type { Observer } from './ports.ts';

export interface HangUpParts {
  readonly clock: Clock;
  readonly observer: Observer;
}

/** What is to run when the socket of an attempt has closed; undefined when it was not its caller who ended it. */
export function whenClosed(
  { clock, observer }: HangUpParts,
  failure: AttemptFailure | undefined,
): (() => void) | undefined {
  if (failure?.error.code !== 'client_closed') return undefined;
  const sinceMs = clock.now();
  return () => observer.letGo(clock.now() - sinceMs);
}
