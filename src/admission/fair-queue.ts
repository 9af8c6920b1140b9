// In which order those who wait are served: by class, then the tenant that has been served least, then who came first. A
// tenant is charged when it is served, not when it queues, so those that give up cost it nothing: the virtual token counter
// of "Fairness in Serving Large Language Models" (Sheng et al., OSDI 2024).
import { priorities, type Priority } from '../fleet/fleet.ts';

export interface Queued {
  readonly tenant: string;
  readonly priority: Priority;
  /** Tokens. */
  readonly cost: number;
  /** Share of the tenant, > 0: twice the weight is served twice as much. */
  readonly weight: number;
}

export class FairQueue<Entry extends Queued> {
  readonly #waiting = new Map<string, Set<Entry>>();
  /** Tokens served, over weight; of tenants that wait, and of those that did since the queue was last empty. */
  readonly #served = new Map<string, number>();
  #size = 0;
  /** As it was last asked for; undefined once something has changed since. */
  #order: readonly Entry[] | undefined = undefined;

  get size(): number {
    return this.#size;
  }

  add(entry: Entry): void {
    this.#order = undefined;
    const mine = this.#waiting.get(entry.tenant);
    this.#size++;
    if (mine !== undefined) {
      mine.add(entry);
      return;
    }
    // Who did not wait has not saved anything up: it starts level with those that wait.
    const level = Math.min(...[...this.#waiting.keys()].map((tenant) => this.#served.get(tenant) ?? 0));
    const before = this.#served.get(entry.tenant) ?? 0;
    this.#served.set(entry.tenant, level === Infinity ? before : Math.max(before, level));
    this.#waiting.set(entry.tenant, new Set([entry]));
  }

  /** Left without being served. */
  remove(entry: Entry): void {
    const mine = this.#waiting.get(entry.tenant);
    if (mine?.delete(entry) !== true) return;
    this.#order = undefined;
    this.#size--;
    if (mine.size === 0) this.#waiting.delete(entry.tenant);
    if (this.#size === 0) this.#served.clear();
  }

  /** Has been served, and pays for it. */
  serve(entry: Entry): void {
    this.#served.set(entry.tenant, (this.#served.get(entry.tenant) ?? 0) + Math.max(1, entry.cost) / entry.weight);
    this.remove(entry);
  }

  /** Best first, as things stand; what was given out stays as it is. */
  inOrder(): readonly Entry[] {
    this.#order ??= this.#sorted();
    return this.#order;
  }

  #sorted(): readonly Entry[] {
    const tenants = [...this.#waiting].toSorted(([a], [b]) => (this.#served.get(a) ?? 0) - (this.#served.get(b) ?? 0));
    return priorities.flatMap((priority) =>
      tenants.flatMap(([, entries]) => [...entries].filter((entry) => entry.priority === priority)),
    );
  }
}
