// What a router remembers of where it has sent which prefix: per backend the least recently used blocks go first. A block is
// always used together with those before it, which come after it in that order, so a prefix is never known without its beginning.
import type { TraceRequest } from '../trace/trace.ts';

export interface HistoryLimits {
  readonly blockTokens: number;
  /** Per backend; least recently used go first. */
  readonly maxTokens: number;
  /** Deeper into a prompt nothing is remembered or looked up. */
  readonly depthTokens?: number;
  readonly ttlS?: number;
}

export class History {
  readonly #limits: HistoryLimits;
  readonly #now: () => number;
  readonly #most: number;
  /** Per backend: chain name → when it was last used, seconds; in order of that. */
  readonly #known: Map<number, number>[];

  constructor(backends: number, limits: HistoryLimits, nowS: () => number) {
    this.#limits = limits;
    this.#now = nowS;
    this.#most = Math.floor(limits.maxTokens / limits.blockTokens);
    this.#known = Array.from({ length: backends }, () => new Map<number, number>());
  }

  add({ chain }: TraceRequest, backend: number): void {
    const known = this.#known[backend];
    if (known === undefined) return;
    const nowS = this.#now();
    for (let place = this.#depth(chain) - 1; place >= 0; place--) {
      const name = chain[place] ?? 0;
      known.delete(name);
      known.set(name, nowS);
    }
    for (const name of known.keys()) {
      if (known.size <= this.#most) break;
      known.delete(name);
    }
  }

  /** Tokens of the longest known prefix there. */
  matched({ chain }: TraceRequest, backend: number): number {
    const known = this.#known[backend];
    if (known === undefined) return 0;
    const since = this.#now() - (this.#limits.ttlS ?? Infinity);
    let [low, high] = [0, this.#depth(chain)];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      const usedS = known.get(chain[middle - 1] ?? 0);
      if (usedS !== undefined && usedS >= since) low = middle;
      else high = middle - 1;
    }
    return low * this.#limits.blockTokens;
  }

  /** Of what can be matched at all, the share that is, 0 to 1. */
  ratio(request: TraceRequest, backend: number): number {
    return this.matched(request, backend) / Math.min(request.input, this.#limits.depthTokens ?? Infinity);
  }

  forget(backend: number): void {
    this.#known[backend]?.clear();
  }

  #depth(chain: readonly number[]): number {
    return Math.min(chain.length, Math.floor((this.#limits.depthTokens ?? Infinity) / this.#limits.blockTokens));
  }
}
