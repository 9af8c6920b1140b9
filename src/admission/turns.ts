// Whose turn it is where several threads have a waiting room each, in front of the same backends: something that has become free
// is offered to the rooms one after the other, beginning with the one where somebody has waited longest. Whoever is offered it
// takes what it can use and passes the turn on, so nothing that is free stays so while somebody could have it. Order within a
// room is the room's own.
import type { Clock } from '../clock.ts';

/** The rooms of other threads, in front of the same backends. */
export interface OtherRooms {
  /** How many wait for a model there. */
  waiting(model: string): number;
  /** Who waits here. `sinceMs`: who has waited longest, of all; undefined: nobody waits. */
  show(model: string, length: number, sinceMs: number | undefined): void;
  /** Somebody has come here who stands behind those there. */
  passTurn(): void;
}

/** The rooms, by number. */
export interface Rooms {
  /** The room where somebody has waited longest, of those whose turn comes after `behind`; undefined: of all. Absent: nobody waits there. */
  next(behind: Place | undefined): Place | undefined;
  /** Where one of them stands; undefined: nobody waits there. */
  placeOf(room: number): Place | undefined;
  /** Has another one take its turn, soon; without effect where one is on its way already. */
  offer(room: number): void;
}

export interface Place {
  readonly room: number;
  /** Clock milliseconds. */
  readonly sinceMs: number;
}

export interface TurnsParts {
  readonly clock: Clock;
  /** The room here. */
  readonly own: number;
  readonly rooms: Rooms;
  /** Serves whoever can be served here. */
  readonly wake: () => void;
}

/** How long others get to take what is theirs: a thread that is busy, or has just died, does not keep it. */
const shortestMs = 5;
const longestMs = 100;
/** The part of what they have waited longer. */
const part = 1 / 4;

export class Turns {
  readonly #parts: TurnsParts;
  #cancel: (() => void) | undefined;

  constructor(parts: TurnsParts) {
    this.#parts = parts;
  }

  /** Something has become free, or somebody has come who stands behind others. */
  freed(): void {
    const { own, rooms } = this.#parts;
    const first = rooms.next(undefined);
    if (first === undefined) return;
    if (first.room === own) return this.take();
    rooms.offer(first.room);
    const mine = rooms.placeOf(own);
    if (mine !== undefined) this.#takeWithin((mine.sinceMs - first.sinceMs) * part);
  }

  /** It is the turn of this room. */
  take(): void {
    const { own, rooms, wake } = this.#parts;
    this.stop();
    const mine = rooms.placeOf(own);
    wake();
    const next = rooms.next(mine);
    if (next !== undefined && next.room !== own) rooms.offer(next.room);
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  /** Not put off by what is freed meanwhile. */
  #takeWithin(ms: number): void {
    this.#cancel ??= this.#parts.clock.after(Math.min(longestMs, Math.max(shortestMs, ms)), () => this.take());
  }
}
