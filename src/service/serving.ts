// The half of a router that serves callers: what the other half, which owns the fleet and watches it, needs to know of it. Both
// are in one thread (open-serving), unless there are several that serve (open-threads).
import type { LimitLevels } from '../access/limiter.ts';
import type { Address, Fleet } from '../fleet/fleet.ts';
import type { Operations } from '../http/operations.ts';
import type { Limits } from './open-limits.ts';

export interface Serving {
  /** As they are on every port. */
  readonly operations: Operations;
  readonly levels: LimitLevels;
  readonly sharedState: Limits['sharedState'];
  /** How many wait for each model. */
  queues(): ReadonlyMap<string, number>;
  /** A backend may be able to take what it could not take before. */
  wake(): void;
  /** Resolves with the address taken. */
  listen(): Promise<Address>;
  start(): void;
  /** This fleet runs now. */
  apply(next: Fleet): void;
  /** Resolves when all that serve know what is known of the fleet by now. */
  caughtUp(): Promise<void>;
  held(): Readonly<Record<'running' | 'queued' | 'waiting' | 'bodyBytes', number>>;
  /** Nothing has been served yet. */
  abandon(): void;
  /** Finishes what runs, and accepts nothing new. */
  drain(how: DrainTimes): Promise<void>;
  /** Lets go of what it has beside the fleet. */
  release(): Promise<void>;
}

/** `delayMs`: how long new connections still come; a part of `timeoutMs`, the time there is. */
export interface DrainTimes {
  readonly delayMs: number;
  readonly timeoutMs: number;
}
