// What this replica has allowed by itself while Redis did not answer: booked there once it does, so that an outage is no
// second allowance. It is the difference between the local bucket as it is and as it would be without that, so what has
// come back in the meantime is not booked again.
import { type Bucket, levelAt, shareOf } from '../access/bucket.ts';
import type { Ledger } from '../access/ledger.ts';
import type { RateRule, Rules } from '../access/rules.ts';

interface Touched {
  readonly rule: RateRule;
  readonly before: Bucket | undefined;
  readonly share: number;
}

export interface Debt {
  readonly tenant: string;
  readonly rates: readonly RateRule[];
  /** In the order of the rates. */
  readonly amounts: readonly number[];
}

export class Owed {
  readonly #ledger: Ledger;
  /** By tenant, then by counter. */
  readonly #touched = new Map<string, Map<string, Touched>>();

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  /** To be called before the ledger allows anything under these rules. */
  note({ tenant, rates }: Rules, share: number): void {
    let touched = this.#touched.get(tenant);
    if (touched === undefined) this.#touched.set(tenant, (touched = new Map()));
    for (const rule of rates) {
      if (!touched.has(rule.id)) touched.set(rule.id, { rule, before: this.#ledger.bucketOf(rule), share });
    }
  }

  /** Of one tenant, or of all; afterwards nothing is owed. */
  take(nowMs: number, tenant?: string): readonly Debt[] {
    const debts: Debt[] = [];
    for (const [debtor, touched] of this.#touched) {
      if (tenant !== undefined && debtor !== tenant) continue;
      this.#touched.delete(debtor);
      const entries = [...touched.values()];
      const amounts = entries.map(({ rule, before, share }) => {
        const effective = shareOf(rule, share);
        return levelAt(this.#ledger.bucketOf(rule), effective, nowMs) - levelAt(before, effective, nowMs);
      });
      debts.push({ tenant: debtor, rates: entries.map(({ rule }) => rule), amounts });
    }
    return debts;
  }
}
