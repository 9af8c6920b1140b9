// What the answers between two decisions about a learnt limit have shown, as sums.
import type { Served } from '../fleet/in-flight-limit.ts';

/** How an answer began, where that can be seen. */
export interface Beginning {
  readonly startMs: number;
  /** What such a prompt takes when nobody is in line. */
  readonly usualMs: number;
}

/** Of the usual time: only what is beyond was spent in line. */
const tolerance = 1.5;

export class Round {
  count = 0;
  #inFlight = 0;
  #totalMs = 0;
  #work = 0;
  /** Of those whose beginning could be seen. */
  #seen = { count: 0, startMs: 0, usualMs: 0, totalMs: 0 };

  add({ inFlight, totalMs }: Served, work: number, beginning: Beginning | undefined): void {
    this.count++;
    this.#inFlight += inFlight;
    this.#totalMs += totalMs;
    this.#work += work;
    if (beginning === undefined) return;
    this.#seen.count++;
    this.#seen.startMs += beginning.startMs;
    this.#seen.usualMs += beginning.usualMs;
    this.#seen.totalMs += totalMs;
  }

  get showsLine(): boolean {
    return this.#seen.count >= this.count / 4;
  }

  /** On average, when one of them began. */
  get inFlight(): number {
    return this.#inFlight / this.count;
  }

  /** On average, of those in flight. */
  get inLine(): number {
    const { startMs, usualMs, totalMs } = this.#seen;
    return totalMs === 0 ? 0 : this.inFlight * Math.min(1, Math.max(0, startMs - tolerance * usualMs) / totalMs);
  }

  /** On average, beyond the usual. */
  get waitMs(): number {
    const { count, startMs, usualMs } = this.#seen;
    return count === 0 ? 0 : (startMs - usualMs) / count;
  }

  /** How many times the usual. */
  get slowness(): number {
    const { startMs, usualMs } = this.#seen;
    return usualMs === 0 ? 1 : startMs / usualMs;
  }

  /** Milliseconds that a unit of work takes. */
  get pace(): number {
    return this.#totalMs / this.#work;
  }
}
