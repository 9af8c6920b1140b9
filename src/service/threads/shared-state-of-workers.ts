// Whether what replicas share answers all workers: each asks by itself, and all of them together are one router.
import type { StateChange } from '../../redis/shared-state.ts';

export class SharedStateOfWorkers {
  /** Told once however many have found it. */
  readonly #told: (change: Pick<StateChange, 'tenant' | 'lost'>) => void;
  readonly #up = new Map<number, boolean>();
  /** Tenant, or nothing for all → the workers that are not answered; empty: it was told that all are. */
  readonly #unanswered = new Map<string | undefined, Set<number>>();

  constructor(told: (change: Pick<StateChange, 'tenant' | 'lost'>) => void) {
    this.#told = told;
  }

  get isUp(): boolean {
    return this.#up.size > 0 && [...this.#up.values()].every(Boolean);
  }

  heard(worker: number, { up, isNews, tenant, lost }: StateChange): void {
    this.#up.set(worker, up);
    if (!isNews) return;
    const unanswered = this.#unanswered.get(tenant);
    if (unanswered === undefined) {
      this.#unanswered.set(tenant, new Set(lost === undefined ? [] : [worker]));
      this.#told({ tenant, ...(lost === undefined ? {} : { lost }) });
    } else if (lost !== undefined) {
      if (unanswered.size === 0) this.#told({ tenant, lost });
      unanswered.add(worker);
    } else {
      this.#answered(worker, tenant, unanswered);
    }
  }

  died(worker: number): void {
    this.#up.delete(worker);
    for (const [tenant, unanswered] of this.#unanswered) this.#answered(worker, tenant, unanswered);
  }

  #answered(worker: number, tenant: string | undefined, unanswered: Set<number>): void {
    if (unanswered.delete(worker) && unanswered.size === 0) this.#told({ tenant });
  }
}
