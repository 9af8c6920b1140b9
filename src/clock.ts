// Time as a parameter, so that the core can be tested without waiting. The only core file that touches real timers.

export interface Clock {
  /** Milliseconds from a fixed point in the past; never steps back. */
  now(): number;
  /** Runs `run` once after `ms` milliseconds; the function returned cancels it and may be called at any time. */
  after(ms: number, run: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  after(ms, run) {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};
