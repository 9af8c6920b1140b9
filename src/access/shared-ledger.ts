// The ledger of all threads of one process: limits are exact whichever of them a request comes to. The main thread makes
// the memory with `ledgerMemory` and gives it to its workers; each opens it with `sharedLedger` and books by itself. When a
// worker has ended, however it ended, the main thread calls `abandonWorker` before it starts another with that number.
//
// The memory does not grow. A limit for which there is no room counts nothing, so that its requests are let through: it
// takes reloads that multiply the limits in use, and a tenant that is shut out until a restart is worse than one that may
// have too much. `uncounted` tells of it.
import type { Clock } from '../clock.ts';
import type { Account, Accounts } from './accounts.ts';
import { CounterTable, type Key, keyOf, tableBytes } from './counter-table.ts';
import { Ledger } from './ledger.ts';
import type { LeaseRule, RateRule, Rule } from './rules.ts';
import { SharedLock } from './shared-lock.ts';

export interface MemoryWishes {
  /** How many limits the fleet has (`countLimits`). There will be room for at least twice as many. */
  readonly rules: number;
  /** Numbered from 0. */
  readonly workers: number;
}

export interface SharedLedgerParts {
  /** Shows the same time in all threads, to a few milliseconds: `performance.now()` alone counts from each thread's start. */
  readonly clock: Clock;
  /** Absent: the main thread. */
  readonly worker?: number;
}

/** For limits of fleets to come, beside those of fleets that are gone. Pages that are never used take no memory. */
const growth = 2;
const fewestSlots = 1_024;
/** Fuller than this, keys are found too slowly. */
const fullAt = 0.75;
/** A table that stays full is not looked through for each request. */
const sweepEveryMs = 1_000;

/** The first words are the lock's. */
const [activeAt, slotsAt, columnsAt, uncountedAt] = [4, 5, 6, 7];
const headWords = 8;
/** A number behind the words. */
const headBytes = 4 * headWords + 8;

export function ledgerMemory({ rules, workers }: MemoryWishes): SharedArrayBuffer {
  const needed = Math.max(fewestSlots, (rules * growth) / fullAt);
  const size = { slots: 2 ** Math.ceil(Math.log2(needed)), columns: workers + 1 };
  const memory = new SharedArrayBuffer(headBytes + 2 * tableBytes(size));
  const words = new Int32Array(memory, 0, headWords);
  words[slotsAt] = size.slots;
  words[columnsAt] = size.columns;
  return memory;
}

/** @throws RangeError when the memory was made for fewer workers. */
export function sharedLedger(memory: SharedArrayBuffer, { clock, worker }: SharedLedgerParts): Ledger {
  return new Ledger(clock, new SharedAccounts(memory, worker));
}

/** Gives back what a worker held, and goes on where it may have stopped. Only once its thread has ended. */
export function abandonWorker(memory: SharedArrayBuffer, worker: number): void {
  new SharedAccounts(memory).abandon(worker);
}

/** How often something was not counted because there was no room: above 0 the fleet wants a restart. */
export function uncounted(memory: SharedArrayBuffer): number {
  return new Int32Array(memory, 0, headWords)[uncountedAt] ?? 0;
}

class SharedAccounts implements Accounts {
  readonly #lock: SharedLock;
  readonly #words: Int32Array;
  readonly #sweptMs: Float64Array;
  readonly #tables: readonly [CounterTable, CounterTable];
  readonly #capacity: number;
  readonly #column: number;
  /** Rules are built once, so their keys are too. */
  readonly #keys = new WeakMap<Rule, Key>();

  constructor(memory: SharedArrayBuffer, worker?: number) {
    this.#words = new Int32Array(memory, 0, headWords);
    this.#sweptMs = new Float64Array(memory, 4 * headWords, 1);
    const size = { slots: this.#words[slotsAt] ?? 0, columns: this.#words[columnsAt] ?? 0 };
    const main = size.columns - 1;
    if (worker !== undefined && worker >= main) throw new RangeError(`memory for ${main} workers, not for ${worker}`);
    this.#column = worker ?? main;
    this.#lock = new SharedLock(this.#words, this.#column + 1);
    this.#capacity = size.slots * fullAt;
    this.#tables = [
      new CounterTable(memory, headBytes, size),
      new CounterTable(memory, headBytes + tableBytes(size), size),
    ];
  }

  enter(): void {
    this.#lock.enter();
  }

  leave(): void {
    this.#lock.leave();
  }

  read(rule: RateRule): Account | undefined {
    const table = this.#table();
    const slot = table.find(this.#key(rule));
    return slot < 0 ? undefined : table.read(slot);
  }

  write(rule: RateRule, account: Account): void {
    const slot = this.#slotFor(rule, account.atMs);
    if (slot >= 0) this.#table().write(slot, account);
  }

  held(rule: LeaseRule): number {
    const table = this.#table();
    const slot = table.find(this.#key(rule));
    return slot < 0 ? 0 : table.heldAt(slot);
  }

  hold(rule: LeaseRule, nowMs: number): void {
    const slot = this.#slotFor(rule, nowMs);
    if (slot >= 0) this.#table().addHeld(slot, this.#column, 1);
  }

  release(rule: LeaseRule): void {
    const table = this.#table();
    const slot = table.find(this.#key(rule));
    if (slot >= 0) table.addHeld(slot, this.#column, -1);
  }

  get size(): number {
    return this.#table().count;
  }

  abandon(worker: number): void {
    this.#lock.leaveFor(worker + 1);
    this.#lock.enter();
    for (const table of this.#tables) table.forget(worker);
    this.#lock.leave();
  }

  #table(): CounterTable {
    return this.#tables[this.#words[activeAt] === 1 ? 1 : 0];
  }

  #key(rule: Rule): Key {
    const known = this.#keys.get(rule);
    if (known !== undefined) return known;
    const key = keyOf(rule.id);
    this.#keys.set(rule, key);
    return key;
  }

  /** Below 0: there is no room. */
  #slotFor(rule: Rule, nowMs: number): number {
    const key = this.#key(rule);
    const slot = this.#table().find(key);
    if (slot >= 0) return slot;
    if (this.#table().count >= this.#capacity) this.#sweep(nowMs);
    if (this.#table().count < this.#capacity) return this.#table().add(key);
    Atomics.add(this.#words, uncountedAt, 1);
    return -1;
  }

  #sweep(nowMs: number): void {
    const sinceMs = nowMs - (this.#sweptMs[0] ?? 0);
    if (sinceMs >= 0 && sinceMs < sweepEveryMs) return;
    this.#sweptMs[0] = nowMs;
    const active = this.#words[activeAt] === 1 ? 1 : 0;
    const next = active === 1 ? 0 : 1;
    this.#tables[next].become(this.#tables[active], nowMs);
    Atomics.store(this.#words, activeAt, next);
  }
}
