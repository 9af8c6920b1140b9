// What a worker holds right now, in a few words of shared memory, for the main thread to read whenever it is asked.
import { type Table, wordsOfStanding } from './memory.ts';

export type Held = Readonly<Record<(typeof kinds)[number], number>>;

const kinds = ['running', 'queued', 'waiting', 'bodyBytes'] as const;
/** Bytes may be more than a word holds. */
const unit = { running: 1, queued: 1, waiting: 1, bodyBytes: 256 } as const;

export function showHeld({ standing }: Table, worker: number, held: Held): void {
  for (const [n, kind] of kinds.entries())
    Atomics.store(standing, worker * wordsOfStanding + n, Math.ceil(held[kind] / unit[kind]));
}

/** Of all workers. Bytes are rounded up. */
export function readHeld({ standing, workers }: Table): Held {
  const sum = (n: number) => {
    let total = 0;
    for (let worker = 0; worker < workers; worker++) total += Atomics.load(standing, worker * wordsOfStanding + n);
    return total;
  };
  const [running, queued, waiting, bytes] = kinds.map((_kind, n) => sum(n));
  return {
    running: running ?? 0,
    queued: queued ?? 0,
    waiting: waiting ?? 0,
    bodyBytes: (bytes ?? 0) * unit.bodyBytes,
  };
}
