// A clock that stands still until it is told to move, and knows which timers are still waiting.
import type { Clock } from '../../src/clock.ts';

export interface FakeClock extends Clock {
  /** Moves on, running what comes due on the way, in order. */
  advance(ms: number): void;
  readonly waiting: number;
}

interface Timer {
  readonly id: number;
  readonly atMs: number;
  readonly run: () => void;
}

export function fakeClock(startMs = 1_000): FakeClock {
  let nowMs = startMs;
  let serial = 0;
  const timers = new Map<number, Timer>();
  return {
    now: () => nowMs,
    after(ms, run) {
      const id = serial++;
      timers.set(id, { id, atMs: nowMs + ms, run });
      return () => void timers.delete(id);
    },
    advance(ms) {
      const endMs = nowMs + ms;
      for (;;) {
        let next: Timer | undefined = undefined;
        // In the order they were set, so that of two at the same time the first comes first.
        for (const timer of timers.values()) {
          if (timer.atMs <= endMs && (next === undefined || timer.atMs < next.atMs)) next = timer;
        }
        if (next === undefined) break;
        const { id, atMs, run } = next;
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
