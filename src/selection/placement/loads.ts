// How much each backend has to do, as far as this router can tell, in typed arrays by the dense index of its state: what it has
// sent there itself, what other routers say they have, and what the engine reports beyond both. And how fast each one is.
import type { Machine } from './machines.ts';

/** What is fixed about a backend, or told from outside. */
export interface Standing {
  /** The same on every router; see `hashOfText`. */
  readonly id: number;
  /** Relative capacity as configured. */
  readonly weight: number;
  readonly machine: Machine;
  /** Those whose pace is compared: the backends of one model. */
  readonly cohort: number;
}

/** Seconds that a request stays, until it is learnt. */
const firstResidence = 8;
/** An engine's own report counts in full for so long, then less and less, and then no more. */
const [freshMs, forgottenMs] = [3_000, 10_000];
const weightOfOneReport = 0.3;
/** How long conversations pause and are worth being kept for. */
const pauseMs = 600_000;

/** What an engine tells of its load. */
export interface Report {
  /** Running and waiting. */
  readonly requests: number;
  /** 0 to 1. */
  readonly kvUsage?: number | undefined;
  readonly atMs: number;
}

export class Loads {
  readonly of = columns();
  id = new Uint32Array(0);
  cohort = new Int32Array(0);
  #nowMs = 0;

  /** Reports are as old as this says. */
  asOf(nowMs: number): void {
    this.#nowMs = nowMs;
  }

  /** A backend that was not known, or that another one has given its index to. */
  join(backend: number, standing: Standing): void {
    this.#grow(backend + 1);
    for (const column of Object.values(this.of)) column[backend] = 0;
    this.of.slowness[backend] = 1;
    this.of.weight[backend] = 1;
    this.of.handicap[backend] = 1;
    this.of.residence[backend] = firstResidence;
    this.of.slots[backend] = Infinity;
    this.update(backend, standing);
  }

  /** What it has to do, and what was learnt of its pace, stays as it is. */
  update(backend: number, { id, weight, machine, cohort }: Standing): void {
    const { of } = this;
    of.slowness[backend] = ((of.slowness[backend] ?? 1) * (of.weight[backend] ?? 1)) / weight;
    of.weight[backend] = weight;
    of.perToken[backend] = machine.perToken;
    of.attention[backend] = machine.attention;
    of.perStep[backend] = machine.perStep;
    of.perSequence[backend] = machine.perSequence;
    of.perResident[backend] = machine.perResident;
    of.capacity[backend] = machine.capacityTokens;
    this.id[backend] = id;
    this.cohort[backend] = cohort;
  }

  knows(backend: number): boolean {
    return (this.of.weight[backend] ?? 0) > 0;
  }

  requestsAt(backend: number): number {
    const { requests, peerRequests, strayRequests, counted } = this.of;
    const stray = strayRequests[backend] ?? 0;
    const known = (requests[backend] ?? 0) + (peerRequests[backend] ?? 0);
    return Math.max(counted[backend] ?? 0, stray === 0 ? known : known + stray * this.#trust(backend));
  }

  pendingAt(backend: number): number {
    return (this.of.pending[backend] ?? 0) + (this.of.peerPending[backend] ?? 0);
  }

  residentAt(backend: number): number {
    const { resident, peerResident, strayResident } = this.of;
    const stray = strayResident[backend] ?? 0;
    const known = (resident[backend] ?? 0) + (peerResident[backend] ?? 0);
    return stray === 0 ? known : known + stray * this.#trust(backend);
  }

  slownessAt(backend: number): number {
    return (this.of.slowness[backend] ?? 1) * (this.of.handicap[backend] ?? 1);
  }

  /** Its cache takes in what was not there. */
  fill(backend: number, tokens: number): void {
    const { of } = this;
    of.filled[backend] = this.#filledAt(backend) + tokens;
    of.filledAtMs[backend] = this.#nowMs;
  }

  /** How soon its cache loses what it holds, 0 to 1: one half where it is filled once while a conversation pauses. */
  churnAt(backend: number): number {
    const filled = this.#filledAt(backend);
    return filled === 0 ? 0 : filled / (filled + (this.of.capacity[backend] ?? 0));
  }

  #filledAt(backend: number): number {
    const filled = this.of.filled[backend] ?? 0;
    return filled === 0 ? 0 : filled * Math.exp(((this.of.filledAtMs[backend] ?? 0) - this.#nowMs) / pauseMs);
  }

  /** What an engine says of itself: only what nobody here knows of is added, and it is never taken for less than that. */
  report(backend: number, { requests, kvUsage, atMs }: Report): void {
    const { of } = this;
    const trust = this.#trust(backend);
    const move = (column: Float64Array, excess: number) => {
      const before = (column[backend] ?? 0) * trust;
      column[backend] = before + (Math.max(0, excess) - before) * weightOfOneReport;
    };
    move(of.strayRequests, requests - (of.requests[backend] ?? 0) - (of.peerRequests[backend] ?? 0));
    if (kvUsage !== undefined) {
      const tracked = (of.resident[backend] ?? 0) + (of.peerResident[backend] ?? 0);
      move(of.strayResident, kvUsage * (of.capacity[backend] ?? 0) - tracked);
    }
    of.strayAtMs[backend] = atMs;
  }

  #trust(backend: number): number {
    const ageMs = this.#nowMs - (this.of.strayAtMs[backend] ?? 0);
    return ageMs <= freshMs ? 1 : Math.max(0, (forgottenMs - ageMs) / (forgottenMs - freshMs));
  }

  #grow(size: number): void {
    if (size <= this.id.length) return;
    const to = Math.max(16, 2 ** Math.ceil(Math.log2(size)));
    const grown = Object.entries(this.of).map(([name, column]) => [name, longer(column, to)]);
    Object.assign(this.of, Object.fromEntries(grown));
    const [id, cohort] = [new Uint32Array(to), new Int32Array(to)];
    id.set(this.id);
    cohort.set(this.cohort);
    this.id = id;
    this.cohort = cohort;
  }
}

/** One number of each kind for each backend. */
function columns() {
  return {
    // Requests, prompt tokens that wait to be computed, and tokens resident: of this router,
    requests: column(),
    pending: column(),
    resident: column(),
    // requests that are known to be there in any case, in whatever way,
    counted: column(),
    // of its peers,
    peerRequests: column(),
    peerPending: column(),
    peerResident: column(),
    // and beyond both, by the engine's own report; and when that was (clock milliseconds).
    strayRequests: column(),
    strayResident: column(),
    strayAtMs: column(),
    // See machines.ts.
    perToken: column(),
    attention: column(),
    perStep: column(),
    perSequence: column(),
    perResident: column(),
    capacity: column(),
    // Tokens that went into its cache of late, and when that was counted (clock milliseconds).
    filled: column(),
    filledAtMs: column(),
    // Requests at once; Infinity: as many as come.
    slots: column(),
    weight: column(),
    // How much slower it is than its like, by its weight or by experience; 1: not at all.
    slowness: column(),
    // What counts on top for now, because it fails or has just come back.
    handicap: column(),
    // Seconds that a request stays, at the pace of its like.
    residence: column(),
  };
}

const column = () => new Float64Array(0);

function longer(from: Float64Array<ArrayBuffer>, size: number): Float64Array<ArrayBuffer> {
  const to = new Float64Array(size);
  to.set(from);
  return to;
}
