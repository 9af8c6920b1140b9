import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FairQueue, type Queued } from '../../../src/admission/fair-queue.ts';
import type { Priority } from '../../../src/fleet/fleet.ts';

interface Entry extends Queued {
  readonly name: string;
}

const entry = (name: string, tenant: string, more: Partial<Queued> = {}): Entry => ({
  name,
  tenant,
  priority: 'normal',
  cost: 100,
  weight: 1,
  ...more,
});

/** Serves one after the other, to the end. */
function served(queue: FairQueue<Entry>): readonly string[] {
  const names: string[] = [];
  for (let [next] = queue.inOrder(); next !== undefined; [next] = queue.inOrder()) {
    queue.serve(next);
    names.push(next.name);
  }
  return names;
}

function queueOf(...entries: readonly Entry[]): FairQueue<Entry> {
  const queue = new FairQueue<Entry>();
  for (const one of entries) queue.add(one);
  return queue;
}

describe('those that wait', () => {
  it('are served in the order they came, within a tenant', () => {
    expect(served(queueOf(entry('1', 'a'), entry('2', 'a'), entry('3', 'a')))).toEqual(['1', '2', '3']);
  });

  it('take turns between tenants, however many one of them sends', () => {
    const flood = Array.from({ length: 50 }, (_, n) => entry(`a${n}`, 'a'));
    const order = served(queueOf(...flood, entry('b0', 'b'), entry('b1', 'b')));
    expect(order.slice(0, 4)).toEqual(['a0', 'b0', 'a1', 'b1']);
  });

  it('take turns by tokens, not by requests', () => {
    const large = Array.from({ length: 3 }, (_, n) => entry(`a${n}`, 'a', { cost: 1_000 }));
    const small = Array.from({ length: 20 }, (_, n) => entry(`b${n}`, 'b', { cost: 100 }));
    const order = served(queueOf(...large, ...small));
    expect(order.slice(0, 12).filter((name) => name.startsWith('b'))).toHaveLength(10);
  });

  it('get twice as much with twice the weight', () => {
    const a = Array.from({ length: 30 }, (_, n) => entry(`a${n}`, 'a', { weight: 2 }));
    const b = Array.from({ length: 30 }, (_, n) => entry(`b${n}`, 'b'));
    const order = served(queueOf(...a, ...b)).slice(0, 30);
    expect(order.filter((name) => name.startsWith('a'))).toHaveLength(20);
  });

  it('of a higher class come first', () => {
    const order = served(
      queueOf(entry('l', 'a', { priority: 'low' }), entry('n', 'b'), entry('h', 'a', { priority: 'high' })),
    );
    expect(order).toEqual(['h', 'n', 'l']);
  });

  it('have saved nothing up while they did not wait', () => {
    const queue = queueOf(...Array.from({ length: 20 }, (_, n) => entry(`a${n}`, 'a')));
    for (let n = 0; n < 10; n++) {
      const [next] = queue.inOrder();
      if (next !== undefined) queue.serve(next);
    }
    for (let n = 0; n < 10; n++) queue.add(entry(`b${n}`, 'b'));
    const firsts = served(queue)
      .slice(0, 4)
      .filter((name) => name.startsWith('a'));
    expect(firsts).toHaveLength(2);
  });

  it('that give up cost their tenant nothing', () => {
    const given = Array.from({ length: 100 }, (_, n) => entry(`x${n}`, 'a'));
    const queue = queueOf(entry('keep', 'b'), ...given);
    for (const one of given) queue.remove(one);
    queue.add(entry('a', 'a'));
    queue.add(entry('b', 'b'));
    expect(served(queue).slice(0, 2).toSorted()).toEqual(['a', 'keep']);
  });

  it('are all served once, or have left, in whatever order things happen', () => {
    const action = fc.record({
      tenant: fc.constantFrom('a', 'b', 'c'),
      priority: fc.constantFrom<Priority>('high', 'normal', 'low'),
      cost: fc.nat(1_000),
      what: fc.constantFrom('add', 'add', 'serve', 'leave'),
    });
    fc.assert(
      fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
        const queue = new FairQueue<Entry>();
        const here = new Set<string>();
        for (const [n, { what, ...wishes }] of actions.entries()) {
          const [first] = queue.inOrder();
          if (what === 'add') {
            queue.add(entry(String(n), wishes.tenant, wishes));
            here.add(String(n));
          } else if (first !== undefined) {
            if (what === 'serve') queue.serve(first);
            else queue.remove(first);
            here.delete(first.name);
          }
          expect(queue.size).toBe(here.size);
        }
        expect(served(queue).toSorted()).toEqual([...here].toSorted());
        expect(queue.size).toBe(0);
      }),
    );
  });
});
