// What other routers have sent where: their own sums, as they tell them, and the prefixes that they have placed.
import type { Loads } from './loads.ts';

/** Absolute, so that what was lost on the way is made good by the next. */
export interface BackendLoad {
  readonly requests: number;
  readonly pending: number;
  readonly resident: number;
}

export class Peers {
  readonly #loads: Loads;
  readonly #told = new Map<string, Map<number, BackendLoad>>();

  constructor(loads: Loads) {
    this.#loads = loads;
  }

  get size(): number {
    return this.#told.size;
  }

  /** It is there, whether it has anything to tell or not. */
  hear(peer: string): Map<number, BackendLoad> {
    const told = this.#told.get(peer) ?? new Map<number, BackendLoad>();
    this.#told.set(peer, told);
    return told;
  }

  set(peer: string, backend: number, load: BackendLoad): void {
    const told = this.hear(peer);
    this.#replace(backend, told.get(backend) ?? nothing, load);
    told.set(backend, load);
  }

  /** It is gone; what it had sent is what engines report beyond what is known. */
  forget(peer: string): void {
    for (const [backend, load] of this.#told.get(peer) ?? []) this.#replace(backend, load, nothing);
    this.#told.delete(peer);
  }

  /** Its index is another one's now, with sums of its own. */
  forgetBackend(backend: number): void {
    for (const told of this.#told.values()) told.delete(backend);
  }

  #replace(backend: number, before: BackendLoad, after: BackendLoad): void {
    const { of } = this.#loads;
    of.peerRequests[backend] = (of.peerRequests[backend] ?? 0) + after.requests - before.requests;
    of.peerPending[backend] = (of.peerPending[backend] ?? 0) + after.pending - before.pending;
    of.peerResident[backend] = (of.peerResident[backend] ?? 0) + after.resident - before.resident;
  }
}

const nothing: BackendLoad = { requests: 0, pending: 0, resident: 0 };
