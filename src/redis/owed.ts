// Which limits this replica has allowed something under while Redis did not answer, so that it is booked there once it
// does: an outage is no second allowance. How much it is the ledger knows. Threads that share one each ask it for what
// they have noted themselves; the first that does gets what is owed by all.
import type { Ledger } from '../access/ledger.ts';
import type { RateRule, Rules } from '../access/rules.ts';

export interface Debt {
  readonly tenant: string;
  readonly rates: readonly RateRule[];
  /** In the order of the rates. */
  readonly amounts: readonly number[];
}

export class Owed {
  readonly #ledger: Ledger;
  /** By tenant, then by counter. */
  readonly #noted = new Map<string, Map<string, RateRule>>();

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  note({ tenant, rates }: Rules): void {
    let noted = this.#noted.get(tenant);
    if (noted === undefined) this.#noted.set(tenant, (noted = new Map()));
    for (const rule of rates) noted.set(rule.id, rule);
  }

  /** Of one tenant, or of all; afterwards nothing is owed. */
  take(tenant?: string): readonly Debt[] {
    const debts: Debt[] = [];
    for (const [debtor, noted] of this.#noted) {
      if (tenant !== undefined && debtor !== tenant) continue;
      this.#noted.delete(debtor);
      const rates = [...noted.values()];
      const amounts = rates.map((rule) => this.#ledger.takeOwed(rule));
      if (amounts.some((amount) => amount !== 0)) debts.push({ tenant: debtor, rates, amounts });
    }
    return debts;
  }
}
