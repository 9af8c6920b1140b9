// Where a ledger keeps its numbers: the port, and the store of one thread alone. Knows no limit and decides nothing.
import { type Bucket, levelAt } from './bucket.ts';
import type { LeaseRule, RateRule } from './rules.ts';

/** What is kept of one rate. */
export interface Account extends Bucket {
  /** What of `used` the other replicas know of; the rest is owed to them. Leaks as `used` does. */
  readonly known: number;
  /** The part of the limit that applied, above 0 and at most 1. */
  readonly share: number;
  /** What came back in a millisecond of that part. */
  readonly perMs: number;
}

/** All but `enter` and `leave` is called between these two, so that whoever else books waits meanwhile. */
export interface Accounts {
  enter(): void;
  leave(): void;
  read(rule: RateRule): Account | undefined;
  write(rule: RateRule, account: Account): void;
  /** Requests that run under a limit. */
  held(rule: LeaseRule): number;
  hold(rule: LeaseRule, nowMs: number): void;
  /** Of those held here; none of them: nothing. */
  release(rule: LeaseRule): void;
  /** Counters kept; for tests. */
  readonly size: number;
}

/** Whether nothing is lost when an account is forgotten. */
export function isIdle(account: Account, nowMs: number): boolean {
  const { known, atMs } = account;
  return levelAt(account, account, nowMs) === 0 && levelAt({ used: known, atMs }, account, nowMs) === 0;
}

/** Idle accounts are forgotten after this many bookings. */
const sweepEvery = 4096;

export class OwnAccounts implements Accounts {
  readonly #rates = new Map<string, Account>();
  readonly #held = new Map<string, number>();
  #untilSweep = sweepEvery;

  enter(): void {}

  leave(): void {}

  read({ id }: RateRule): Account | undefined {
    return this.#rates.get(id);
  }

  write({ id }: RateRule, account: Account): void {
    if (--this.#untilSweep <= 0) this.#sweep(account.atMs);
    this.#rates.set(id, account);
  }

  held({ id }: LeaseRule): number {
    return this.#held.get(id) ?? 0;
  }

  hold({ id }: LeaseRule): void {
    this.#held.set(id, (this.#held.get(id) ?? 0) + 1);
  }

  release({ id }: LeaseRule): void {
    const left = (this.#held.get(id) ?? 0) - 1;
    if (left > 0) this.#held.set(id, left);
    else this.#held.delete(id);
  }

  get size(): number {
    return this.#rates.size + this.#held.size;
  }

  #sweep(nowMs: number): void {
    this.#untilSweep = sweepEvery;
    for (const [id, account] of this.#rates) if (isIdle(account, nowMs)) this.#rates.delete(id);
  }
}
