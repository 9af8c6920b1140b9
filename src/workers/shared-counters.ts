// Requests in flight per backend, over all workers: one word that everybody counts with, and beside it what each worker has of
// it, so that the part of one that has ended can be taken away again.
import type { Counters } from '../admission/counters.ts';
import { most, type Table } from './memory.ts';

/** `worker` undefined: the main thread, which only reads. */
export function sharedCounters({ inFlight, inFlightOf }: Table, worker: number | undefined): Counters {
  const row = (worker ?? 0) * most.backends;
  return {
    // A thread can be ended between any two calls: none stands between the word that all count with and the worker's own.
    claim(backend, most) {
      for (;;) {
        const count = Atomics.load(inFlight, backend);
        if (count >= most) return undefined;
        if (Atomics.compareExchange(inFlight, backend, count, count + 1) === count) {
          Atomics.add(inFlightOf, row + backend, 1);
          return count + 1;
        }
      }
    },
    add(backend, delta) {
      // Given back by a thread that holds nothing, it would be another's.
      if (delta === -1 && Atomics.load(inFlightOf, row + backend) <= 0) return Atomics.load(inFlight, backend);
      const count = Atomics.add(inFlight, backend, delta) + delta;
      Atomics.add(inFlightOf, row + backend, delta);
      return count;
    },
    read: (backend) => Atomics.load(inFlight, backend),
  };
}
