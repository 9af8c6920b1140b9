// What every way to find backends has in common: it looks until it is stopped, and tells what it finds.
import type { Clock } from '../clock.ts';
import type { Found } from '../fleet/discovery.ts';

export interface Teller {
  /** All that there is now; none is an answer too. */
  answered(found: readonly Found[]): void;
  /** Nobody knows what there is. `code`: a short word; never text from the other side. */
  failed(code: string): void;
}

export interface Looking {
  stop(): Promise<void>;
}

export interface SourceParts {
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

/** ±10 %, so that replicas do not ask in step. */
export function jittered(ms: number, random: () => number): number {
  return ms * (0.9 + 0.2 * random());
}

/** Resolves early when it is aborted, and leaves no timer. */
export function pause(clock: Clock, ms: number, ended: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      cancel();
      ended.removeEventListener('abort', done);
      resolve();
    };
    const cancel = clock.after(ms, done);
    ended.addEventListener('abort', done);
    if (ended.aborted) done();
  });
}

export function codeOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return 'failed';
  return 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : thrown.name;
}
