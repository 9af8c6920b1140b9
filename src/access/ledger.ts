// Counters of limits in memory: all that one replica knows, kept by one thread alone or by several together (shared-ledger.ts).
// Synchronous, so that a check and its booking are one step.
import type { Clock } from '../clock.ts';
import { type Accounts, OwnAccounts } from './accounts.ts';
import { adjusted, costFor, fits, levelAt, shareOf } from './bucket.ts';
import type { Cost } from './limiter.ts';
import type { RateRule, Rule, Rules } from './rules.ts';

/** How the counters stand: after the request when it was granted, without it when it was not. In the order of the rules. */
export interface Reading {
  readonly granted: boolean;
  readonly used: readonly number[];
  readonly held: readonly number[];
  /** The part of each limit that applied, above 0 and at most 1. */
  readonly share: number;
}

/** How a booking is meant while other replicas can't be asked. */
export interface Terms {
  /** The part of each limit that applies; the whole unless said. */
  readonly share?: number;
  /** Whether the others are still to be told of it. */
  readonly owed?: boolean;
}

export class Ledger {
  readonly #clock: Clock;
  readonly #accounts: Accounts;

  constructor(clock: Clock, accounts: Accounts = new OwnAccounts()) {
    this.#clock = clock;
    this.#accounts = accounts;
  }

  /** Checks every limit, then books all of them or none. */
  take(rules: Rules, cost: Cost, { share = 1, owed = false }: Terms = {}): Reading {
    return this.#alone((nowMs) => {
      const now = rules.rates.map((rule) => this.#standing(rule, share, nowMs));
      const held = rules.leases.map((rule) => this.#accounts.held(rule));
      const granted =
        rules.rates.every((rule, n) => fits(now[n]?.level ?? 0, costFor(rule, cost), shareOf(rule, share))) &&
        rules.leases.every(({ limit }, n) => (held[n] ?? 0) < leasesOf(limit, share));
      if (!granted) return { granted, used: now.map(({ level }) => level), held, share };
      const used = now.map(({ level, debt, atMs }, n) => {
        const rule = rules.rates[n];
        if (rule === undefined) return level;
        const added = costFor(rule, cost);
        return this.#write(rule, { level: level + added, debt: owed ? debt + added : debt, atMs }, share);
      });
      for (const rule of rules.leases) this.#accounts.hold(rule, nowMs);
      return { granted, used, held: held.map((count) => count + 1), share };
    });
  }

  /** Ends what `take` has granted; without an actual cost all of it is given back. */
  end(rules: Rules, reserved: Cost, actual: Cost | undefined): void {
    this.#alone((nowMs) => {
      this.#book(rules, differences(rules, reserved, actual), { nowMs });
      for (const rule of rules.leases) this.#accounts.release(rule);
    });
  }

  /** Adds to what is used, in the order of the rates. */
  book(rules: Rules, deltas: readonly number[], terms: Terms = {}): void {
    this.#alone((nowMs) => this.#book(rules, deltas, { ...terms, nowMs }));
  }

  /** Takes over levels that the others know; what they are still to be told of stays on top. */
  mirror({ rates }: Rules, known: readonly number[], share: number): void {
    this.#alone((nowMs) => {
      for (const [n, rule] of rates.entries()) {
        const { debt, atMs } = this.#standing(rule, share, nowMs);
        this.#write(rule, { level: Math.max(0, (known[n] ?? 0) + debt), debt, atMs }, share);
      }
    });
  }

  /**
   * What the others are still to be told of, less what has come back meanwhile; afterwards nothing. Below 0 when they
   * know of too much.
   */
  takeOwed(rule: RateRule): number {
    return this.#alone((nowMs) => {
      const share = this.#accounts.read(rule)?.share;
      if (share === undefined) return 0;
      const now = this.#standing(rule, share, nowMs);
      if (now.debt !== 0) this.#write(rule, { ...now, debt: 0 }, share);
      return now.debt;
    });
  }

  /** How much of a limit is used now, as part of the whole of it where this replica applies but a share. */
  used(rule: Rule): number {
    return this.#alone((nowMs) => {
      if (!('perMs' in rule)) return this.#accounts.held(rule);
      const account = this.#accounts.read(rule);
      return account === undefined ? 0 : levelAt(account, shareOf(rule, account.share), nowMs) / account.share;
    });
  }

  hold({ leases }: Rules): void {
    if (leases.length === 0) return;
    this.#alone((nowMs) => {
      for (const rule of leases) this.#accounts.hold(rule, nowMs);
    });
  }

  release({ leases }: Rules): void {
    if (leases.length === 0) return;
    this.#alone(() => {
      for (const rule of leases) this.#accounts.release(rule);
    });
  }

  /** Counters kept; for tests. */
  get size(): number {
    return this.#accounts.size;
  }

  /** The time is read inside, so that what is booked later is not booked as earlier. */
  #alone<Result>(run: (nowMs: number) => Result): Result {
    this.#accounts.enter();
    try {
      return run(this.#clock.now());
    } finally {
      this.#accounts.leave();
    }
  }

  #book(rules: Rules, deltas: readonly number[], terms: Terms & { readonly nowMs: number }): void {
    const { share = 1, owed = false, nowMs } = terms;
    for (const [n, rule] of rules.rates.entries()) {
      const now = this.#standing(rule, share, nowMs);
      const level = adjusted(now.level, deltas[n] ?? 0, shareOf(rule, share));
      const debt = owed ? now.debt + level - now.level : now.debt;
      this.#write(rule, { level, debt, atMs: now.atMs }, share);
    }
  }

  #standing(rule: RateRule, share: number, nowMs: number): Standing {
    const account = this.#accounts.read(rule);
    if (account === undefined) return { level: 0, debt: 0, atMs: nowMs };
    const { used, known } = account;
    const effective = shareOf(rule, share);
    const level = levelAt(account, effective, nowMs);
    const debt = known === used ? 0 : level - levelAt({ ...account, used: known }, effective, nowMs);
    return { level, debt, atMs: latest(account.atMs, nowMs) };
  }

  /** Gives the level back. */
  #write(rule: RateRule, { level, debt, atMs }: Standing, share: number): number {
    this.#accounts.write(rule, { used: level, known: level - debt, atMs, share, perMs: rule.perMs * share });
    return level;
  }
}

/** How an account stands at a moment. */
interface Standing {
  readonly level: number;
  /** What of the level the others do not know of. */
  readonly debt: number;
  /** When. */
  readonly atMs: number;
}

/** The clocks of the threads of one process agree at least so well. */
const clocksAgreeMs = 1_000;

/** Of two threads one may be ahead a little: what has come back until its time must not come back once more. */
function latest(keptMs: number, nowMs: number): number {
  return keptMs > nowMs && keptMs - nowMs < clocksAgreeMs ? keptMs : nowMs;
}

/** At least one, so that a small limit does not shut anybody out. */
export function leasesOf(limit: number, share: number): number {
  return Math.max(1, Math.floor(limit * share + 1e-9));
}

/** What the end changes about what was taken, in the order of the rates. */
export function differences(rules: Rules, reserved: Cost, actual: Cost | undefined): readonly number[] {
  return rules.rates.map((rule) => (actual === undefined ? 0 : costFor(rule, actual)) - costFor(rule, reserved));
}

/** What a request takes, in the order of the rates. */
export function costs({ rates }: Rules, cost: Cost): readonly number[] {
  return rates.map((rule) => costFor(rule, cost));
}
