// The time of the main thread, read in another one: each thread counts from its own start, and times that go from one to the other
// have to mean the same.
import { type Clock, systemClock } from '../clock.ts';

/** `originMs`: `performance.timeOrigin` of the main thread. */
export function threadClock(originMs: number): Clock {
  const aheadMs = performance.timeOrigin - originMs;
  return { now: () => performance.now() + aheadMs, after: (ms, run) => systemClock.after(ms, run) };
}
