// The memory that all threads of a router see: a table of words for each backend, one for each circuit, and a few for each
// worker. Which backend has which number is told by the main thread in messages; here are only numbers. A table is made once and
// never grows: its pages cost nothing before they are used.

/** As it is handed to a thread. */
export interface SharedMemory {
  /** How many workers there are. */
  readonly workers: number;
  readonly words: SharedArrayBuffer;
  readonly times: SharedArrayBuffer;
}

/** How many there may be at a time. */
export const most = { backends: 8_192, models: 2_048, circuits: 65_536 } as const;

/** Views on the memory, by what stands there. What is counted for each worker comes worker after worker. */
export interface Table {
  readonly workers: number;
  /** By backend: requests in flight, in all and of each worker. */
  readonly inFlight: Int32Array;
  readonly inFlightOf: Int32Array;
  /** By backend: how many workers have found it silent for too long, and 1 for each of them. */
  readonly stalled: Int32Array;
  readonly stalledOf: Int32Array;
  /** By backend: the learnt limit. */
  readonly limits: Int32Array;
  /** By backend: when something last came from it. */
  readonly heardMs: Float64Array;
  /** By model, of each worker: how many wait. */
  readonly waitingOf: Int32Array;
  /** By worker: how many wait at all, and since when the first of them has. */
  readonly waiters: Int32Array;
  readonly waitersSinceMs: Float64Array;
  /** By worker: 1 while the turn is offered to it. */
  readonly offered: Int32Array;
  /** By circuit: see shared-circuits. */
  readonly circuits: Int32Array;
  readonly retryAtMs: Float64Array;
  readonly holdOffUntilMs: Float64Array;
  /** By worker: see shared-standing. */
  readonly standing: Int32Array;
}

export const wordsOfCircuit = 5;
export const wordsOfStanding = 8;

function sections(workers: number) {
  return {
    words: {
      inFlight: most.backends,
      inFlightOf: workers * most.backends,
      stalled: most.backends,
      stalledOf: workers * most.backends,
      limits: most.backends,
      waitingOf: workers * most.models,
      waiters: workers,
      offered: workers,
      circuits: most.circuits * wordsOfCircuit,
      standing: workers * wordsOfStanding,
    },
    times: { heardMs: most.backends, waitersSinceMs: workers, retryAtMs: most.circuits, holdOffUntilMs: most.circuits },
  };
}

export function createMemory(workers: number): SharedMemory {
  const { words, times } = sections(workers);
  return {
    workers,
    words: new SharedArrayBuffer(sum(words) * Int32Array.BYTES_PER_ELEMENT),
    times: new SharedArrayBuffer(sum(times) * Float64Array.BYTES_PER_ELEMENT),
  };
}

export function openTable({ workers, words, times }: SharedMemory): Table {
  const lengths = sections(workers);
  return {
    workers,
    ...views(lengths.words, (start, length) => new Int32Array(words, start * Int32Array.BYTES_PER_ELEMENT, length)),
    ...views(lengths.times, (start, length) => new Float64Array(times, start * Float64Array.BYTES_PER_ELEMENT, length)),
  };
}

function views<Name extends string, View>(
  lengths: Readonly<Record<Name, number>>,
  open: (start: number, length: number) => View,
): Record<Name, View> {
  const made: Partial<Record<Name, View>> = {};
  let start = 0;
  for (const name in lengths) {
    made[name] = open(start, lengths[name]);
    start += lengths[name];
  }
  return made as Record<Name, View>; // every name was given one
}

function sum(lengths: Readonly<Record<string, number>>): number {
  return Object.values(lengths).reduce((a, b) => a + b, 0);
}

/** Nothing is left of what a worker that has ended had taken, but for its trials: see shared-circuits. */
export function clearWorker(table: Table, worker: number): void {
  for (let backend = 0; backend < most.backends; backend++) {
    const at = worker * most.backends + backend;
    const held = Atomics.exchange(table.inFlightOf, at, 0);
    if (held !== 0) Atomics.sub(table.inFlight, backend, held);
    if (Atomics.exchange(table.stalledOf, at, 0) === 1) Atomics.sub(table.stalled, backend, 1);
  }
  for (let model = 0; model < most.models; model++) Atomics.store(table.waitingOf, worker * most.models + model, 0);
  Atomics.store(table.waiters, worker, 0);
  Atomics.store(table.offered, worker, 0);
  for (let n = 0; n < wordsOfStanding; n++) Atomics.store(table.standing, worker * wordsOfStanding + n, 0);
}
