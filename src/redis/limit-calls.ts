// How the limits of a request are written for the scripts: keys and arguments, and what the answers say.
import { costFor } from '../access/bucket.ts';
import type { Reading } from '../access/ledger.ts';
import type { Cost } from '../access/limiter.ts';
import type { Rules } from '../access/rules.ts';
import { Nonsense } from './failure-reason.ts';

/** A lease that is not renewed for so long belongs to a replica that is gone. */
export const leaseMs = 20_000;
/** Longer than nearly all requests; what ends later stays booked as it was reserved. */
const reservationMs = 2 * 3_600_000;

export interface Call {
  readonly keys: readonly string[];
  readonly args: readonly (string | number)[];
}

export interface TakeWishes {
  readonly id: string;
  readonly cost: Cost;
  /** On the clock of Redis; 0: it may act whenever it comes to it. */
  readonly notAfterMs: number;
}

export interface ChargeWishes {
  readonly id: string;
  /** In the order of the rates. */
  readonly amounts: readonly number[];
  readonly owedAtMs: number;
}

export class LimitCalls {
  readonly #prefix: string;
  /** Rules are built once, so their keys are too. */
  readonly #keys = new WeakMap<Rules, readonly string[]>();

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  take(rules: Rules, { id, cost, notAfterMs }: TakeWishes): Call {
    const args: (string | number)[] = [notAfterMs, id, reservationMs, leaseMs, rules.rates.length];
    for (const rule of rules.rates) args.push(rule.capacity, rule.perMs, costFor(rule, cost));
    for (const { limit } of rules.leases) args.push(limit);
    return { keys: [this.#reservation(rules, id), ...this.#keysOf(rules)], args };
  }

  settle(rules: Rules, id: string, deltas: readonly number[]): Call {
    const args: (string | number)[] = [id, rules.rates.length];
    for (const [n, { capacity, perMs }] of rules.rates.entries()) args.push(capacity, perMs, deltas[n] ?? 0);
    return { keys: [this.#reservation(rules, id), ...this.#keysOf(rules)], args };
  }

  /** `owedAtMs`: on the clock of Redis; 0: now. */
  charge({ tenant, rates }: Pick<Rules, 'tenant' | 'rates'>, { id, amounts, owedAtMs }: ChargeWishes): Call {
    return {
      keys: [`${this.#prefix}{${tenant}}:charge:${id}`, ...rates.map((rule) => this.key(rule.id))],
      args: [reservationMs, owedAtMs, ...rates.flatMap(({ perMs }, n) => [perMs, amounts[n] ?? 0])],
    };
  }

  /** Of the leases, in the order of the rules. */
  leases(rules: Rules): readonly string[] {
    return this.#keysOf(rules).slice(rules.rates.length);
  }

  key(id: string): string {
    return this.#prefix + id;
  }

  #keysOf(rules: Rules): readonly string[] {
    const known = this.#keys.get(rules);
    if (known !== undefined) return known;
    const keys = [...rules.rates, ...rules.leases].map(({ id }) => this.key(id));
    this.#keys.set(rules, keys);
    return keys;
  }

  #reservation({ tenant }: Rules, id: string): string {
    return `${this.#prefix}{${tenant}}:reservation:${id}`;
  }
}

export interface TakeAnswer {
  readonly outcome: 'granted' | 'denied' | 'late';
  /** The clock of Redis. */
  readonly serverMs: number;
  readonly reading: Reading;
}

/** @throws Nonsense when it is no answer of take.lua. */
export function readTakeAnswer(answer: unknown, { rates, leases }: Rules): TakeAnswer {
  const [outcome, time, ...levels] = Array.isArray(answer) ? answer.map(String) : [];
  if (outcome !== 'granted' && outcome !== 'denied' && outcome !== 'late')
    throw new Nonsense('not an answer of take.lua');
  const numbers = levels.map(Number);
  return {
    outcome,
    serverMs: Number(time),
    reading: {
      granted: outcome === 'granted',
      used: numbers.slice(0, rates.length),
      held: numbers.slice(rates.length, rates.length + leases.length),
      share: 1,
    },
  };
}
