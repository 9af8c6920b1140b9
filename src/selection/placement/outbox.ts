// What peers are to be told since they were last told: whose sums have changed, and which prefixes were placed where.
import type { Fingerprint } from './fingerprint.ts';
import type { Loads } from './loads.ts';
import type { BackendLoad } from './peers.ts';

/** Some points of a prefix that was placed: `points` says which, shallowest first; `keys` their hashes, see `Fingerprint.key`. */
export interface PlacedPrefix {
  readonly backend: number;
  readonly points: Uint16Array;
  readonly keys: Float64Array;
}

export interface Message {
  readonly loads: readonly (BackendLoad & { readonly backend: number })[];
  readonly prefixes: readonly PlacedPrefix[];
}

/** Of one prompt. */
const mostPoints = 16;
/** Between one message and the next. */
const mostPrefixes = 4_096;

export class Outbox {
  readonly #changed = new Set<number>();
  #prefixes: PlacedPrefix[] = [];
  /** Nobody reads it before that. */
  #isOpen = false;

  changed(backend: number): void {
    if (this.#isOpen) this.#changed.add(backend);
  }

  placed(print: Fingerprint, backend: number): void {
    if (!this.#isOpen || print.length === 0 || this.#prefixes.length >= mostPrefixes) return;
    const points = spread(print.length);
    this.#prefixes.push({ backend, points, keys: Float64Array.from(points, (point) => print.key(point)) });
  }

  /** `all`: the sums of every backend, for whoever has missed something. From the first time on it is filled. */
  take(loads: Loads, { all }: { readonly all: boolean }): Message {
    const backends = new Set(this.#changed);
    if (all || !this.#isOpen) for (let one = 0; one < loads.id.length; one++) if (loads.knows(one)) backends.add(one);
    this.#isOpen = true;
    this.#changed.clear();
    const prefixes = this.#prefixes;
    this.#prefixes = [];
    const { requests, pending, resident } = loads.of;
    return {
      prefixes,
      loads: [...backends].map((backend) => ({
        backend,
        requests: requests[backend] ?? 0,
        pending: pending[backend] ?? 0,
        resident: resident[backend] ?? 0,
      })),
    };
  }
}

/** Of `count` points at most 16, denser where it is shallower, the deepest always among them. */
function spread(count: number): Uint16Array {
  const chosen = new Set<number>();
  for (let n = 0; n < mostPoints; n++) chosen.add(Math.round(count ** (n / (mostPoints - 1))) - 1);
  return Uint16Array.from(chosen);
}
