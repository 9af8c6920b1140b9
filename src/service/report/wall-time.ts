// Times for people: the router's own clock only counts, so it is laid beside the wall clock once, at the start.
import type { Clock } from '../../clock.ts';

/** RFC 3339, in UTC, of a time of the clock. */
export type WallTime = (atMs: number) => string;

export function createWallTime(clock: Clock, wallNow: () => number = Date.now): WallTime {
  const offsetMs = wallNow() - clock.now();
  return (atMs) => new Date(offsetMs + atMs).toISOString();
}
