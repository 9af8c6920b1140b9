// Requests in flight, counted in one thread or by several.
import { describe, expect, it } from 'vitest';
import { plainCounters } from '../../src/admission/counters.ts';
import { clearWorker, createMemory, openTable } from '../../src/workers/memory.ts';
import { sharedCounters } from '../../src/workers/shared-counters.ts';

const kinds = {
  plain: plainCounters,
  shared: () => sharedCounters(openTable(createMemory(2)), 1),
};

describe.each(Object.entries(kinds))('%s counters', (_kind, make) => {
  it('count each backend by itself', () => {
    const counters = make();
    expect([counters.add(3, 1), counters.add(3, 1), counters.add(4, 1), counters.add(3, -1)]).toEqual([1, 2, 1, 1]);
    expect([counters.read(3), counters.read(4), counters.read(5)]).toEqual([1, 1, 0]);
  });

  it('give a place only where fewer are there than may be', () => {
    const counters = make();
    expect([counters.claim(0, 2), counters.claim(0, 2), counters.claim(0, 2)]).toEqual([1, 2, undefined]);
    counters.add(0, -1);
    expect([counters.claim(0, 1), counters.claim(0, 2)]).toEqual([undefined, 2]);
  });

  it('know no bound where there is none', () => {
    const counters = make();
    expect([counters.claim(0, Infinity), counters.claim(0, Infinity)]).toEqual([1, 2]);
  });

  it('never go below zero', () => {
    const counters = make();
    expect([counters.add(0, -1), counters.read(0)]).toEqual([0, 0]);
  });
});

describe('counters that two workers share', () => {
  function pair() {
    const table = openTable(createMemory(2));
    return { table, a: sharedCounters(table, 0), b: sharedCounters(table, 1), main: sharedCounters(table, undefined) };
  }

  it('are one count for both, and for the main thread', () => {
    const { a, b, main } = pair();
    expect([a.claim(7, 2), b.claim(7, 2), a.claim(7, 2), b.claim(7, 2)]).toEqual([1, 2, undefined, undefined]);
    expect([a.read(7), b.read(7), main.read(7)]).toEqual([2, 2, 2]);
    b.add(7, -1);
    expect(a.claim(7, 2)).toBe(2);
  });

  it('lose what a worker held that has died, and nothing else', () => {
    const { table, a, b } = pair();
    for (const backend of [1, 2, 2]) a.claim(backend, 9);
    for (const backend of [2, 3]) b.claim(backend, 9);
    clearWorker(table, 0);
    expect([1, 2, 3].map((backend) => b.read(backend))).toEqual([0, 1, 1]);
    clearWorker(table, 0);
    expect(b.read(2)).toBe(1);
  });

  it('do not give back what another holds', () => {
    const { a, b } = pair();
    a.claim(0, 9);
    b.add(0, -1);
    expect(a.read(0)).toBe(1);
  });
});
