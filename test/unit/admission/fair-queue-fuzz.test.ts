// The order of those that wait, against a naive model of it, and what the order is for: fair shares and no starvation.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FairQueue, type Queued } from '../../../src/admission/fair-queue.ts';
import { priorities } from '../../../src/fleet/fleet.ts';

interface Entry extends Queued {
  readonly n: number;
}

/** Everything is looked up anew in one list. */
class NaiveQueue {
  waiting: readonly Entry[] = [];
  readonly #served = new Map<string, number>();
  readonly #since = new Map<string, number>();
  #turn = 0;

  add(entry: Entry): void {
    if (!this.#waits(entry.tenant)) {
      const levels = this.waiting.map(({ tenant }) => this.#servedOf(tenant));
      const level = levels.length === 0 ? 0 : Math.min(...levels);
      this.#served.set(entry.tenant, Math.max(this.#servedOf(entry.tenant), level));
      this.#since.set(entry.tenant, this.#turn++);
    }
    this.waiting = [...this.waiting, entry];
  }

  remove(entry: Entry): void {
    this.waiting = this.waiting.filter((other) => other !== entry);
    if (this.waiting.length === 0) this.#served.clear();
  }

  serve(entry: Entry): void {
    this.#served.set(entry.tenant, this.#servedOf(entry.tenant) + Math.max(1, entry.cost) / entry.weight);
    this.remove(entry);
  }

  inOrder(): readonly Entry[] {
    return this.waiting.toSorted(
      (a, b) =>
        priorities.indexOf(a.priority) - priorities.indexOf(b.priority) ||
        this.#servedOf(a.tenant) - this.#servedOf(b.tenant) ||
        (this.#since.get(a.tenant) ?? 0) - (this.#since.get(b.tenant) ?? 0) ||
        a.n - b.n,
    );
  }

  #waits(tenant: string): boolean {
    return this.waiting.some((entry) => entry.tenant === tenant);
  }

  #servedOf(tenant: string): number {
    return this.#served.get(tenant) ?? 0;
  }
}

const tenant = fc.constantFrom('a', 'b', 'c', 'd');
const action = fc.record({
  what: fc.constantFrom('add', 'add', 'serve', 'leave', 'serve another'),
  at: fc.nat(),
  tenant,
  priority: fc.constantFrom(...priorities),
  cost: fc.nat(1_000),
  weight: fc.constantFrom(0.5, 1, 3),
});

describe('the order of those that wait', () => {
  it('is that of the naive model, whoever comes, is served or leaves', () => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
        const queue = new FairQueue<Entry>();
        const naive = new NaiveQueue();
        for (const [n, { what, at, ...wishes }] of actions.entries()) {
          const [first] = naive.inOrder();
          const any = naive.waiting[at % Math.max(1, naive.waiting.length)];
          if (what === 'add') {
            const entry = { n, ...wishes };
            queue.add(entry);
            naive.add(entry);
          } else if (first !== undefined && any !== undefined) {
            const entry = what === 'serve' ? first : any;
            for (const one of [queue, naive]) {
              if (what === 'leave') one.remove(entry);
              else one.serve(entry);
            }
          }
          expect(queue.inOrder().map((entry) => entry.n)).toEqual(naive.inOrder().map((entry) => entry.n));
        }
      }),
      { numRuns: 500 },
    );
  });

  it('keeps what tenants with much to do have got, by weight, within one request of each other', () => {
    const costs = fc.array(fc.integer({ min: 1, max: 1_000 }), { minLength: 60, maxLength: 60 });
    const weights = fc.array(fc.integer({ min: 1, max: 8 }), { minLength: 2, maxLength: 5 });
    fc.assert(
      fc.property(weights, costs, (weights, costs) => {
        const queue = new FairQueue<Entry>();
        const got = new Map(weights.map((_, at) => [`t${at}`, 0]));
        const largest = Math.max(...costs) / Math.min(...weights);
        for (const [at, weight] of weights.entries())
          for (const [n, cost] of costs.entries()) queue.add({ n, tenant: `t${at}`, priority: 'normal', cost, weight });
        // As long as even one that were served alone would still have something waiting.
        for (let turn = 0; turn < costs.length; turn++) {
          const [next] = queue.inOrder();
          if (next === undefined) throw new Error('nobody waits');
          queue.serve(next);
          got.set(next.tenant, (got.get(next.tenant) ?? 0) + next.cost / next.weight);
          expect(Math.max(...got.values()) - Math.min(...got.values())).toBeLessThanOrEqual(largest + 1e-6);
        }
      }),
      { numRuns: 200 },
    );
  });

  it('lets nobody starve: who had much is overtaken by no more than had less', () => {
    const others = ['b', 'c', 'd'];
    fc.assert(
      fc.property(
        fc.nat(20),
        fc.array(fc.constantFrom(...others), { minLength: 200, maxLength: 200 }),
        (had, flood) => {
          const queue = new FairQueue<Entry>();
          let n = 0;
          const add = (of: string) => {
            const entry: Entry = { n: n++, tenant: of, priority: 'normal', cost: 100, weight: 1 };
            queue.add(entry);
            return entry;
          };
          for (const other of others) add(other);
          for (let turn = 0; turn < had; turn++) queue.serve(add('a'));
          const patient = add('a');
          let overtaken = 0;
          for (const other of flood) {
            const [next] = queue.inOrder();
            if (next === undefined || next === patient) break;
            queue.serve(next);
            overtaken++;
            // A new one of theirs for each, so that there is always somebody who came with less.
            add(other);
          }
          expect(overtaken).toBeLessThanOrEqual(others.length * (had + 1));
        },
      ),
      { numRuns: 200 },
    );
  });
});
