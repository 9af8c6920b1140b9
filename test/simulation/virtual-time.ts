// Time that jumps from event to event: a heap of what is due, by time and then by who asked first. Nothing here waits.
import type { Clock } from '../../src/clock.ts';

interface Due {
  readonly atMs: number;
  readonly serial: number;
  readonly run: () => void;
}

export class VirtualTime implements Clock {
  readonly #due: Due[] = [];
  #nowMs = 0;
  #serial = 0;

  now(): number {
    return this.#nowMs;
  }

  get nowS(): number {
    return this.#nowMs / 1000;
  }

  at(atMs: number, run: () => void): void {
    this.#push({ atMs: Math.max(atMs, this.#nowMs), serial: this.#serial++, run });
  }

  after(ms: number, run: () => void): () => void {
    let live = true;
    this.at(this.#nowMs + ms, () => {
      if (live) run();
    });
    return () => {
      live = false;
    };
  }

  /** Again and again from `firstMs` on, for as long as the run lasts. */
  every(ms: number, run: () => void, firstMs = ms): void {
    const turn = () => {
      run();
      this.at(this.#nowMs + ms, turn);
    };
    this.at(firstMs, turn);
  }

  /** Runs what comes due until `done` or until nothing is left. */
  runUntil(done: () => boolean): void {
    while (!done()) {
      const next = this.#pop();
      if (next === undefined) return;
      this.#nowMs = next.atMs;
      next.run();
    }
  }

  #push(entry: Due): void {
    const heap = this.#due;
    let place = heap.length;
    heap.push(entry);
    while (place > 0) {
      const above = (place - 1) >> 1;
      const parent = heap[above];
      if (parent === undefined || isBefore(parent, entry)) break;
      heap[place] = parent;
      place = above;
    }
    heap[place] = entry;
  }

  #pop(): Due | undefined {
    const heap = this.#due;
    const [first] = heap;
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    let place = 0;
    for (;;) {
      const left = 2 * place + 1;
      let child = heap[left];
      if (child === undefined) break;
      let below = left;
      const right = heap[left + 1];
      if (right !== undefined && isBefore(right, child)) [child, below] = [right, left + 1];
      if (isBefore(last, child)) break;
      heap[place] = child;
      place = below;
    }
    heap[place] = last;
    return first;
  }
}

function isBefore(a: Due, b: Due): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.serial < b.serial);
}
