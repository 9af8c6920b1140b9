// Requests in flight per backend. A plain array here; shared memory where several threads serve (src/workers).

export interface Counters {
  /** Adds and returns the new count. `backend` is the dense index of its state. Never goes below zero. */
  add(backend: number, delta: 1 | -1): number;
  /** One more, where fewer than `most` are there, in one step with the look: the new count. Undefined: there is no room. */
  claim(backend: number, most: number): number | undefined;
  readonly read: (backend: number) => number;
}

export function plainCounters(): Counters {
  const counts: number[] = [];
  return {
    claim(backend, most) {
      const count = counts[backend] ?? 0;
      if (count >= most) return undefined;
      counts[backend] = count + 1;
      return count + 1;
    },
    add(backend, delta) {
      const next = Math.max(0, (counts[backend] ?? 0) + delta);
      counts[backend] = next;
      return next;
    },
    read: (backend) => counts[backend] ?? 0,
  };
}
