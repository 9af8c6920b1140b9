// A clock that stands still until it is told to move, and knows which timers are still waiting.
import type { Clock } from '../../src/clock.ts';

export interface FakeClock extends Clock {
  /** Moves on, running what comes due on the way, in order. */
  advance(ms: number): void;
  readonly waiting: number;
}

export function fakeClock(startMs = 1_000): FakeClock {
  let nowMs = startMs;
  let serial = 0;
  const timers = new Map<number, { readonly atMs: number; readonly run: () => void }>();
  return {
    now: () => nowMs,
    after(ms, run) {
      const id = serial++;
      timers.set(id, { atMs: nowMs + ms, run });
      return () => void timers.delete(id);
    },
    advance(ms) {
      const endMs = nowMs + ms;
      for (;;) {
        const [next] = [...timers]
          .filter(([, { atMs }]) => atMs <= endMs)
          .toSorted(([a, x], [b, y]) => x.atMs - y.atMs || a - b);
        if (next === undefined) break;
        const [id, { atMs, run }] = next;
        timers.delete(id);
        nowMs = Math.max(nowMs, atMs);
        run();
      }
      nowMs = endMs;
    },
    get waiting() {
      return timers.size;
    },
  };
}
