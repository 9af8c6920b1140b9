// Who waits in which worker, in shared memory: how many for each model, and since when somebody has. Words are written by their
// own worker alone, before it looks for a slot; whoever frees a slot reads them after. So one of the two always sees the other.
import type { Place, Rooms } from '../admission/turns.ts';
import { most, type Table } from './memory.ts';

export class SharedRooms implements Rooms {
  readonly #table: Table;
  readonly #send: (room: number) => void;

  /** `send`: has a worker told that it is its turn. */
  constructor(table: Table, send: (room: number) => void) {
    this.#table = table;
    this.#send = send;
  }

  next(behind: Place | undefined): Place | undefined {
    let found: Place | undefined;
    for (let room = 0; room < this.#table.workers; room++) {
      const place = this.placeOf(room);
      if (place === undefined || (behind !== undefined && !isBefore(behind, place))) continue;
      if (found === undefined || isBefore(place, found)) found = place;
    }
    return found;
  }

  placeOf(room: number): Place | undefined {
    const { waiters, waitersSinceMs } = this.#table;
    return Atomics.load(waiters, room) === 0 ? undefined : { room, sinceMs: waitersSinceMs[room] ?? 0 };
  }

  offer(room: number): void {
    if (Atomics.compareExchange(this.#table.offered, room, 0, 1) === 0) this.#send(room);
  }

  /** The offer has come: whatever becomes free from now on is another one. */
  taken(room: number): void {
    Atomics.store(this.#table.offered, room, 0);
  }

  /** `model`: its number; undefined: it has none, and nobody else sees who waits for it. */
  show(room: number, model: number | undefined, length: number): void {
    if (model !== undefined) Atomics.store(this.#table.waitingOf, room * most.models + model, length);
  }

  /** How many wait in a room at all, and since when the first of them has (clock milliseconds). */
  showAll(room: number, waiters: number, sinceMs: number): void {
    this.#table.waitersSinceMs[room] = sinceMs;
    Atomics.store(this.#table.waiters, room, waiters);
  }

  /** In all rooms but one. */
  waiting(model: number, except?: number): number {
    let sum = 0;
    for (let room = 0; room < this.#table.workers; room++)
      if (room !== except) sum += Atomics.load(this.#table.waitingOf, room * most.models + model);
    return sum;
  }
}

function isBefore(a: Place, b: Place): boolean {
  return a.sinceMs < b.sinceMs || (a.sinceMs === b.sinceMs && a.room < b.room);
}
