// Where exchanges wait that found everybody full. Bounded by count for each model and by time for each waiter; woken when a
// slot is freed or a backend becomes usable, never by polling.
import type { Clock } from '../clock.ts';
import { GatewayError } from '../errors.ts';
import { FairQueue, type Queued } from './fair-queue.ts';
import type { Gone } from './gone.ts';
import { Pace } from './pace.ts';
import type { Slot } from './slots.ts';
import type { OtherRooms } from './turns.ts';

export interface Waiting extends Queued {
  /** Canonical name. */
  readonly model: string;
  /** Those of one kind can be served by the same backends: where one finds no room, no other does. It may change with the fleet. */
  readonly kind: () => string;
  /** Most who may wait for the model. */
  readonly maxLength: number;
  readonly maxWaitMs: number;
  /** Claims a slot; undefined: still nobody has room. @throws GatewayError when waiting makes no sense any more. */
  readonly claim: () => Slot | undefined;
  /** When a backend that asked to be left alone may be asked again; undefined: none has. */
  readonly againAtMs: () => number | undefined;
  /** What is thrown when its signal aborts. */
  readonly gone: Gone;
  readonly whyGone: () => GatewayError;
  /** Told when it has to wait, with what tells how long still. */
  readonly entered?: (prospect: () => Prospect) => void;
}

/** What somebody who waits may expect, as things stand. */
export interface Prospect {
  /** Among those who wait for the model, from 1, in the order in which they would be served. */
  readonly position: number;
  /** Undefined before anybody was served. */
  readonly etaMs: number | undefined;
}

interface Waiter extends Waiting {
  readonly sinceMs: number;
  readonly settle: (slot: Slot | GatewayError) => void;
}

/** `refused`: nobody could serve it any more. */
export type Leaving = 'served' | 'queue_timeout' | 'gone' | 'refused';

export interface WaitingRoomObserver {
  /** Somebody has stopped waiting: served, or why not. */
  left(model: string, waitedMs: number, how: Leaving): void;
  /** There was no place to wait. */
  refused(model: string): void;
}

export class WaitingRoom {
  readonly #clock: Clock;
  readonly #observer: WaitingRoomObserver;
  readonly #others: OtherRooms | undefined;
  /** In the order in which they came. */
  readonly #waiters = new Set<Waiter>();
  readonly #queue = new FairQueue<Waiter>();
  readonly #lengths = new Map<string, number>();
  readonly #paces = new Map<string, Pace>();
  #cancelWake = () => {};
  #isWaking = false;
  #wokenAgain = false;

  constructor(clock: Clock, observer: WaitingRoomObserver, others?: OtherRooms) {
    this.#clock = clock;
    this.#observer = observer;
    this.#others = others;
  }

  /** How many wait for a model, in every room. */
  length(model: string): number {
    return this.#own(model) + (this.#others?.waiting(model) ?? 0);
  }

  #own(model: string): number {
    return this.#lengths.get(model) ?? 0;
  }

  /** How many wait here at all. */
  get size(): number {
    return this.#queue.size;
  }

  get lengths(): ReadonlyMap<string, number> {
    return this.#lengths;
  }

  /**
   * Resolves with a slot, which the caller releases.
   * @throws GatewayError `overloaded` when the room is full or the wait was too long, what `claim` throws, or `whyGone`.
   */
  enter(waiting: Waiting): Promise<Slot> {
    const { model, maxLength } = waiting;
    const ahead = this.length(model);
    if (ahead >= maxLength) {
      this.#observer.refused(model);
      return Promise.reject(this.#full(waiting, ahead));
    }
    return new Promise((resolve, reject) => {
      let waits = true;
      const done = (slot: Slot | GatewayError) => {
        waits = false;
        cancel();
        waiting.gone.removeEventListener('abort', onGone);
        this.#count(waiter, -1);
        if (this.#lengths.size === 0) this.#cancelWake();
        if (slot instanceof GatewayError) reject(slot);
        else resolve(slot);
      };
      const waiter: Waiter = { ...waiting, sinceMs: this.#clock.now(), settle: done };
      const onGone = () => this.#leave(waiter, 'gone', waiting.whyGone());
      const cancel = this.#clock.after(waiting.maxWaitMs, () =>
        this.#leave(waiter, 'queue_timeout', this.#waitedTooLong(waiter)),
      );
      const own = this.#own(model);
      this.#count(waiter, 1);
      this.#queue.add(waiter);
      waiting.gone.addEventListener('abort', onGone);
      if (waiting.gone.aborted) onGone();
      else if (this.#others !== undefined && ahead > own) this.#others.passTurn();
      else this.wake();
      if (waits) waiting.entered?.(() => this.#prospectOf(waiter));
    });
  }

  #count(waiter: Waiter, delta: 1 | -1): void {
    const { model } = waiter;
    const length = this.#own(model) + delta;
    if (length === 0) this.#lengths.delete(model);
    else this.#lengths.set(model, length);
    if (this.#others === undefined) return;
    if (delta === 1) this.#waiters.add(waiter);
    else this.#waiters.delete(waiter);
    this.#others.show(model, length, this.#waiters.values().next().value?.sinceMs);
  }

  #prospectOf(waiter: Waiter): Prospect {
    const { model } = waiter;
    const ahead = this.#queue.inOrder().filter((other) => other.model === model);
    const position = ahead.indexOf(waiter) + 1;
    const gapMs = this.#paces.get(model)?.gapMs ?? 0;
    return { position, etaMs: gapMs === 0 ? undefined : gapMs * position };
  }

  /** Something has become free or usable: whoever can be served now is, in fair order. */
  wake(): void {
    this.#wokenAgain = true;
    // A claim may itself change what is usable.
    if (this.#isWaking || this.#queue.size === 0) return;
    this.#isWaking = true;
    while (this.#wokenAgain) {
      this.#wokenAgain = false;
      this.#serveInOrder();
    }
    this.#isWaking = false;
    this.#wakeLater();
  }

  #serveInOrder(): void {
    const full = new Set<string>();
    // Whom to serve next depends on who was served last.
    while (this.#serveNext(full));
  }

  /** Whether somebody was served. `full`: kinds that have found no room. */
  #serveNext(full: Set<string>): boolean {
    for (const waiter of this.#queue.inOrder()) {
      const kind = waiter.kind();
      if (full.has(kind)) continue;
      let slot: Slot | undefined;
      try {
        slot = waiter.claim();
      } catch (thrown) {
        this.#leave(waiter, 'refused', thrown instanceof GatewayError ? thrown : internal(thrown));
        continue;
      }
      if (slot !== undefined) {
        this.#served(waiter, slot);
        return true;
      }
      full.add(kind);
    }
    return false;
  }

  #served(waiter: Waiter, slot: Slot): void {
    const nowMs = this.#clock.now();
    this.#queue.serve(waiter);
    this.#pace(waiter.model).served(nowMs);
    this.#observer.left(waiter.model, nowMs - waiter.sinceMs, 'served');
    waiter.settle(slot);
  }

  /** Time alone can make a backend usable, too. */
  #wakeLater(): void {
    this.#cancelWake();
    const kinds = new Map(this.#queue.inOrder().map((waiter) => [waiter.kind(), waiter]));
    const times = [...kinds.values()].flatMap((waiter) => waiter.againAtMs() ?? []);
    if (times.length === 0) return;
    const waitMs = Math.max(1, Math.min(...times) - this.#clock.now());
    this.#cancelWake = this.#clock.after(waitMs, () => this.wake());
  }

  #leave(waiter: Waiter, how: Exclude<Leaving, 'served'>, error: GatewayError): void {
    this.#queue.remove(waiter);
    this.#observer.left(waiter.model, this.#clock.now() - waiter.sinceMs, how);
    waiter.settle(error);
  }

  #full({ model, maxLength }: Waiting, ahead: number): GatewayError {
    const message =
      maxLength === 0
        ? `Every backend of the model "${model}" is full.`
        : `Every backend of the model "${model}" is full, and ${ahead} requests wait already.`;
    return new GatewayError('overloaded', message, { retryAfterSeconds: this.#expectedMs(model) / 1000 });
  }

  #waitedTooLong({ model, maxWaitMs }: Waiting): GatewayError {
    const message = `No backend of the model "${model}" had room within ${maxWaitMs} ms.`;
    // The request has had its wait; an SDK that repeats it by itself only makes the queue longer.
    const headers = { 'x-should-retry': 'false' };
    return new GatewayError('overloaded', message, { headers, retryAfterSeconds: this.#expectedMs(model) / 1000 });
  }

  /** Until somebody who came now would be served, from the pace of late; at least a second. */
  #expectedMs(model: string): number {
    const gapMs = this.#paces.get(model)?.gapMs ?? 0;
    return Math.min(60_000, Math.max(1_000, gapMs * (this.#own(model) + 1)));
  }

  #pace(model: string): Pace {
    let pace = this.#paces.get(model);
    if (pace === undefined) this.#paces.set(model, (pace = new Pace()));
    return pace;
  }
}

function internal(thrown: unknown): GatewayError {
  return new GatewayError('internal', 'The router failed on this request while it waited.', { cause: thrown });
}
