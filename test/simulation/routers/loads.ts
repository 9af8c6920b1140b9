// What a router counts per backend, its own and what its peers have told: requests, uncached prompt tokens that have not led to
// a first token, and resident tokens.

export interface Loads {
  readonly requests: (backend: number) => number;
  readonly uncached: (backend: number) => number;
  readonly resident: (backend: number) => number;
}

export const kinds = ['requests', 'uncached', 'resident'] as const;
export type Kind = (typeof kinds)[number];
export type Counts = Readonly<Record<Kind, Float64Array>>;

export class SharedLoads implements Loads {
  readonly #backends: number;
  readonly #own: Counts;
  readonly #remote: Counts;
  readonly #peers = new Map<number, Counts>();

  constructor(backends: number) {
    this.#backends = backends;
    this.#own = noCounts(backends);
    this.#remote = noCounts(backends);
  }

  readonly requests = (backend: number): number => this.#sum('requests', backend);
  readonly uncached = (backend: number): number => this.#sum('uncached', backend);
  readonly resident = (backend: number): number => this.#sum('resident', backend);

  add(kind: Kind, backend: number, delta: number): void {
    const counts = this.#own[kind];
    counts[backend] = (counts[backend] ?? 0) + delta;
  }

  /** Its own counts as they are now. */
  snapshot(): Counts {
    return {
      requests: this.#own.requests.slice(),
      uncached: this.#own.uncached.slice(),
      resident: this.#own.resident.slice(),
    };
  }

  hear(peer: number, counts: Counts): void {
    const before = this.#peers.get(peer);
    for (const kind of kinds) {
      const sum = this.#remote[kind];
      for (let backend = 0; backend < this.#backends; backend++)
        sum[backend] = (sum[backend] ?? 0) + (counts[kind][backend] ?? 0) - (before?.[kind][backend] ?? 0);
    }
    this.#peers.set(peer, counts);
  }

  forget(peer: number): void {
    if (this.#peers.has(peer)) this.hear(peer, noCounts(this.#backends));
    this.#peers.delete(peer);
  }

  #sum(kind: Kind, backend: number): number {
    return (this.#own[kind][backend] ?? 0) + (this.#remote[kind][backend] ?? 0);
  }
}

function noCounts(backends: number): Counts {
  return {
    requests: new Float64Array(backends),
    uncached: new Float64Array(backends),
    resident: new Float64Array(backends),
  };
}
