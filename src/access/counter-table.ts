// Counters in shared memory, found by a hash of their limit's id: open addressing with linear probing, of a fixed size,
// nothing ever removed but by moving what is in use to another table. Only for whoever holds the lock. A thread may end
// between any two writes: each change becomes visible by the last of them, and until then is as if it had not begun.
import { hash } from 'node:crypto';
import { type Account, isIdle } from './accounts.ts';

/** 64 bits of a hash of the id, and where it was found last. */
export interface Key {
  /** Never 0. */
  readonly high: number;
  readonly low: number;
  slot: number;
}

export interface TableSize {
  /** A power of 2, at least 2. */
  readonly slots: number;
  /** One for each thread. */
  readonly columns: number;
}

export function keyOf(id: string): Key {
  const bytes = hash('sha256', id, 'buffer');
  return { high: bytes.readInt32LE(0) || 1, low: bytes.readInt32LE(4), slot: 0 };
}

/** The fields of an account. */
const fields = 5;
/** Of each account there are two copies: the one that counts, and the one that is written next. */
const numbersPerSlot = 2 * fields;

export function tableBytes({ slots, columns }: TableSize): number {
  return slots * (8 * numbersPerSlot + 4 * (2 + 1 + columns)) + 8;
}

export class CounterTable {
  readonly #slots: number;
  readonly #columns: number;
  readonly #numbers: Float64Array;
  readonly #keys: Int32Array;
  /** How often each account was written: odd or even says which copy counts. */
  readonly #writes: Int32Array;
  /** Running requests, by slot and thread. */
  readonly #held: Int32Array;
  readonly #count: Int32Array;

  constructor(memory: SharedArrayBuffer, atByte: number, { slots, columns }: TableSize) {
    this.#slots = slots;
    this.#columns = columns;
    this.#numbers = new Float64Array(memory, atByte, slots * numbersPerSlot);
    const words = new Int32Array(memory, atByte + this.#numbers.byteLength, slots * (3 + columns) + 2);
    this.#keys = words.subarray(0, 2 * slots);
    this.#writes = words.subarray(2 * slots, 3 * slots);
    this.#held = words.subarray(3 * slots, (3 + columns) * slots);
    this.#count = words.subarray((3 + columns) * slots);
  }

  get count(): number {
    return this.#count[0] ?? 0;
  }

  /** Below 0: not there. */
  find(key: Key): number {
    if (this.#isAt(key.slot, key)) return key.slot;
    const slot = this.#probe(key);
    if (!this.#isAt(slot, key)) return -1;
    key.slot = slot;
    return slot;
  }

  /** Of a key that is not there; there must be room. */
  add(key: Key): number {
    const slot = this.#probe(key);
    this.#count[0] = this.count + 1;
    this.#keys[2 * slot + 1] = key.low;
    Atomics.store(this.#keys, 2 * slot, key.high);
    key.slot = slot;
    return slot;
  }

  /** Undefined: nothing was written yet. */
  read(slot: number): Account | undefined {
    const writes = this.#writes[slot] ?? 0;
    if (writes === 0) return undefined;
    const [numbers, at] = [this.#numbers, this.#copyAt(slot, writes)];
    return {
      used: numbers[at] ?? 0,
      known: numbers[at + 1] ?? 0,
      atMs: numbers[at + 2] ?? 0,
      share: numbers[at + 3] ?? 1,
      perMs: numbers[at + 4] ?? 0,
    };
  }

  write(slot: number, { used, known, atMs, share, perMs }: Account): void {
    const writes = (this.#writes[slot] ?? 0) + 1;
    const [numbers, at] = [this.#numbers, this.#copyAt(slot, writes)];
    numbers[at] = used;
    numbers[at + 1] = known;
    numbers[at + 2] = atMs;
    numbers[at + 3] = share;
    numbers[at + 4] = perMs;
    Atomics.store(this.#writes, slot, writes);
  }

  /** By all threads. */
  heldAt(slot: number): number {
    let sum = 0;
    for (let n = slot * this.#columns, end = n + this.#columns; n < end; n++) sum += this.#held[n] ?? 0;
    return sum;
  }

  /** By one; never below 0. */
  addHeld(slot: number, column: number, delta: 1 | -1): void {
    const at = slot * this.#columns + column;
    this.#held[at] = Math.max(0, (this.#held[at] ?? 0) + delta);
  }

  forget(column: number): void {
    for (let at = column; at < this.#held.length; at += this.#columns) this.#held[at] = 0;
  }

  /** Becomes the other table without what nobody would miss. */
  become(other: CounterTable, nowMs: number): void {
    for (const words of [this.#keys, this.#writes, this.#held, this.#count]) words.fill(0);
    for (let slot = 0; slot < this.#slots; slot++) {
      const high = other.#keys[2 * slot] ?? 0;
      if (high === 0) continue;
      const account = other.read(slot);
      if (other.heldAt(slot) === 0 && (account === undefined || isIdle(account, nowMs))) continue;
      const added = this.add({ high, low: other.#keys[2 * slot + 1] ?? 0, slot: 0 });
      if (account !== undefined) this.write(added, account);
      const from = slot * this.#columns;
      this.#held.set(other.#held.subarray(from, from + this.#columns), added * this.#columns);
    }
  }

  /** Where a key stands, or would stand. */
  #probe(key: Key): number {
    const last = this.#slots - 1;
    let slot = key.low & last;
    for (let n = 0; n < last && this.#keys[2 * slot] !== 0 && !this.#isAt(slot, key); n++) slot = (slot + 1) & last;
    return slot;
  }

  #isAt(slot: number, { high, low }: Key): boolean {
    return this.#keys[2 * slot] === high && this.#keys[2 * slot + 1] === low;
  }

  #copyAt(slot: number, writes: number): number {
    return slot * numbersPerSlot + (writes & 1) * fields;
  }
}
