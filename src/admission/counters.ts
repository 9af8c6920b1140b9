// Requests in flight per backend. A plain array here; shared memory when there are several workers.

export interface Counters {
  /** Adds and returns the new count. `backend` is the dense index of its state. Never goes below zero. */
  add(backend: number, delta: 1 | -1): number;
  readonly read: (backend: number) => number;
}

export function plainCounters(): Counters {
  const counts: number[] = [];
  return {
    add(backend, delta) {
      const next = Math.max(0, (counts[backend] ?? 0) + delta);
      counts[backend] = next;
      return next;
    },
    read: (backend) => counts[backend] ?? 0,
  };
}
