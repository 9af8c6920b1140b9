// A router that goes by somebody else's rule. The rule says where; counting, and with `sync` our telling of counts and of new
// placements, are the same for all of them, so that a rule and the sharing can be judged apart.
import type { TraceRequest } from '../trace/trace.ts';
import { type Loads, SharedLoads } from './loads.ts';
import type { News, Placement, Reading, Router, RouterParts } from './router.ts';

export interface RuleParts extends RouterParts {
  readonly loads: Loads;
}

/** One published rule. Loads are as this router knows them, itself included. */
export interface Rule {
  choose(request: TraceRequest, able: readonly number[]): number;
  /** Prompt tokens it believes cached there; what is charged is the rest. Left out: none. */
  cached?(request: TraceRequest, backend: number): number;
  /** Tokens it counts as resident there. Left out: the prompt. */
  resident?(request: TraceRequest, backend: number): number;
  /** This or, with `sync`, another router has placed it there. */
  placed?(request: TraceRequest, backend: number): void;
  ended?(request: TraceRequest, backend: number): void;
  scraped?(backend: number, reading: Reading): void;
  restarted?(backend: number): void;
}

export type RuleMaker = (parts: RuleParts) => Rule;

interface Placed {
  readonly request: TraceRequest;
  readonly backend: number;
}

export class PeerRouter implements Router {
  readonly #id: number;
  readonly #loads: SharedLoads;
  readonly #rule: Rule;
  #placed: Placed[] = [];

  constructor(parts: RouterParts, make: RuleMaker) {
    this.#id = parts.id;
    this.#loads = new SharedLoads(parts.weights.length);
    this.#rule = make({ ...parts, loads: this.#loads });
  }

  place(request: TraceRequest, able: readonly number[]): Placement {
    const backend = this.#rule.choose(request, able);
    let uncached = request.input - (this.#rule.cached?.(request, backend) ?? 0);
    const resident = this.#rule.resident?.(request, backend) ?? request.input;
    this.#rule.placed?.(request, backend);
    this.#placed.push({ request, backend });
    this.#loads.add('requests', backend, 1);
    this.#loads.add('uncached', backend, uncached);
    this.#loads.add('resident', backend, resident);
    const computed = () => {
      this.#loads.add('uncached', backend, -uncached);
      uncached = 0;
    };
    return {
      backend,
      firstToken: computed,
      grew: () => {},
      ended: () => {
        computed();
        this.#loads.add('requests', backend, -1);
        this.#loads.add('resident', backend, -resident);
        this.#rule.ended?.(request, backend);
      },
    };
  }

  news(): News {
    const counts = this.#loads.snapshot();
    const placed = this.#placed;
    this.#placed = [];
    return (peer) => {
      if (!(peer instanceof PeerRouter)) return;
      peer.#loads.hear(this.#id, counts);
      for (const { request, backend } of placed) peer.#rule.placed?.(request, backend);
    };
  }

  forget(peer: number): void {
    this.#loads.forget(peer);
  }

  scraped(backend: number, reading: Reading): void {
    this.#rule.scraped?.(backend, reading);
  }

  restarted(backend: number): void {
    this.#rule.restarted?.(backend);
  }
}
