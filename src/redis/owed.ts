// What this replica has allowed by itself while Redis did not answer: booked there once it does, so that an outage is no
// second allowance. It is the difference between the local bucket as it is and as it would be without that, so what has
// come back in the meantime is not booked again.
import { type Bucket, levelAt, shareOf } from '../access/bucket.ts';
import type { Ledger } from '../access/ledger.ts';
import type { RateRule, Rules } from '../access/rules.ts';
import type { Call, Counters } from './counters.ts';

interface Touched {
  readonly rule: RateRule;
  readonly before: Bucket | undefined;
  readonly share: number;
}

export class Owed {
  readonly #ledger: Ledger;
  readonly #counters: Counters;
  /** By tenant, then by counter. */
  readonly #touched = new Map<string, Map<string, Touched>>();

  constructor(ledger: Ledger, counters: Counters) {
    this.#ledger = ledger;
    this.#counters = counters;
  }

  /** To be called before the ledger allows anything under these rules. */
  note({ tenant, rates }: Rules, share: number): void {
    let touched = this.#touched.get(tenant);
    if (touched === undefined) this.#touched.set(tenant, (touched = new Map()));
    for (const rule of rates) {
      if (!touched.has(rule.id)) touched.set(rule.id, { rule, before: this.#ledger.bucketOf(rule), share });
    }
  }

  /** One call of charge.lua per tenant; afterwards nothing is owed. */
  take(nowMs: number): readonly Call[] {
    const calls: Call[] = [];
    for (const touched of this.#touched.values()) {
      const due = [...touched.values()].map(({ rule, before, share }) => {
        const effective = shareOf(rule, share);
        const now = levelAt(this.#ledger.bucketOf(rule), effective, nowMs);
        return { rule, amount: now - levelAt(before, effective, nowMs) };
      });
      calls.push(
        this.#counters.charge(
          due.map(({ rule }) => rule),
          due.map(({ amount }) => amount),
        ),
      );
    }
    this.#touched.clear();
    return calls;
  }
}
