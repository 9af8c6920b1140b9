// What a placement costs: the formula by hand, and what must hold of it whatever the numbers are.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { costOf, defaultWeights, noTerms, type Work } from '../../../../src/selection/placement/cost.ts';
import { Loads } from '../../../../src/selection/placement/loads.ts';
import { machineOf } from '../../../../src/selection/placement/machines.ts';

const aWork: Work = { promptTokens: 4_000, cachedTokens: 1_000, answerTokens: 200 };

interface Load {
  readonly n?: number;
  readonly pending?: number;
  readonly resident?: number;
  readonly slots?: number;
  readonly slowness?: number;
}

function loaded(...all: readonly Load[]): Loads {
  const loads = new Loads();
  for (const [backend, { n = 0, pending = 0, resident = 0, slots = Infinity, slowness = 1 }] of all.entries()) {
    loads.join(backend, { id: backend, weight: 1, machine: machineOf('vllm'), cohort: 0 });
    loads.of.requests[backend] = n;
    loads.of.pending[backend] = pending;
    loads.of.resident[backend] = resident;
    loads.of.slots[backend] = slots;
    loads.of.slowness[backend] = slowness;
  }
  return loads;
}

function costs(loads: Loads, work: Work = aWork): readonly number[] {
  return Array.from({ length: 2 }, (_, backend) => costOf(loads, backend, work, defaultWeights, noTerms()));
}

const some = fc.record({
  n: fc.nat(200),
  pending: fc.nat(500_000),
  resident: fc.nat(800_000),
  slots: fc.integer({ min: 1, max: 64 }),
});
const work = fc.record({
  promptTokens: fc.integer({ min: 1, max: 200_000 }),
  cachedTokens: fc.nat(200_000),
  answerTokens: fc.nat(4_000),
});

describe('the cost of a placement', () => {
  it('is what the formula says', () => {
    const loads = loaded({ n: 9, pending: 8_000, resident: 390_000, slots: 8 });
    const terms = noTerms();
    const cost = costOf(loads, 0, aWork, defaultWeights, terms);
    expect(terms.wait).toBeCloseTo((8_000 / 8_000) * 1.15, 10);
    expect(terms.prefill).toBeCloseTo(3_000 / 8_000 + 3e-9 * 3_000 * 2_500, 10);
    expect(terms.slots).toBeCloseTo((8 * (9 + 1 - 8)) / 8, 10);
    expect(terms.decode).toBeCloseTo(200 * (0.02 + 1e-4 * 10 + 1e-7 * 394_000), 10);
    expect(terms.others).toBeCloseTo(0.5 * 9 * (terms.prefill + 200 * (1e-4 + 1e-7 * 4_000)), 10);
    expect(terms.memory).toBeCloseTo((8 * (390_000 + 4_000 + (10 * 200) / 2 - 0.95 * 400_000)) / 390_000, 10);
    expect(terms.ttft).toBeCloseTo(terms.wait + terms.prefill + terms.slots, 10);
    expect(terms.late).toBe(0);
    expect(cost).toBeCloseTo(2 * terms.ttft + terms.decode + terms.others + terms.memory, 10);
  });

  it('counts what comes later than the objective twice more', () => {
    const terms = noTerms();
    costOf(loaded({ pending: 80_000 }), 0, aWork, defaultWeights, terms);
    expect(terms.late).toBeCloseTo(2 * (terms.ttft - 5), 10);
  });

  it('counts what its cache would lose, the more the sooner it is full', () => {
    const loads = loaded({}, {});
    loads.fill(1, 400_000);
    const terms = noTerms();
    const full = costOf(loads, 1, aWork, defaultWeights, terms);
    // Filled once in ten minutes is a half.
    expect(terms.displaced).toBeCloseTo(0.5 * terms.prefill * 0.5, 10);
    expect(full - (costs(loads)[0] ?? 0)).toBeCloseTo(terms.displaced, 10);
    loads.asOf(600_000);
    costOf(loads, 1, aWork, defaultWeights, terms);
    expect(terms.displaced).toBeCloseTo((0.5 * terms.prefill * Math.exp(-1)) / (1 + Math.exp(-1)), 10);
  });

  it('never falls when there is more to do', () => {
    fc.assert(
      fc.property(some, some, work, (load, more, task) => {
        const busier = {
          n: load.n + more.n,
          pending: load.pending + more.pending,
          resident: load.resident + more.resident,
          slots: load.slots,
        };
        const [idle = 0, busy = 0] = costs(loaded(load, busier), task);
        expect(busy).toBeGreaterThanOrEqual(idle * (1 - 1e-12));
      }),
    );
  });

  it('never rises by what is cached', () => {
    fc.assert(
      fc.property(some, work, fc.nat(200_000), (load, task, more) => {
        const cached = { ...task, cachedTokens: task.cachedTokens + more };
        const loads = loaded(load, load);
        expect(costs(loads, cached)[0]).toBeLessThanOrEqual((costs(loads, task)[0] ?? 0) * (1 + 1e-12));
      }),
    );
  });

  it('grows in proportion when everybody is slower, so that nobody else is chosen, where nothing is late', () => {
    fc.assert(
      fc.property(some, some, work, fc.double({ min: 0.25, max: 4, noNaN: true }), (a, b, task, slowness) => {
        const patient = { ...defaultWeights, ttftObjective: Infinity };
        const both = (each: number) => {
          const loads = loaded({ ...a, slowness: each }, { ...b, slowness: each });
          return [0, 1].map((backend) => costOf(loads, backend, task, patient, noTerms()));
        };
        for (const [backend, cost] of both(slowness).entries()) {
          const before = (both(1)[backend] ?? 0) * slowness;
          expect(Math.abs(cost - before)).toBeLessThanOrEqual(before * 1e-9);
        }
      }),
    );
  });

  it('is least where there are fewest connections when nothing else is known', () => {
    const [few = 0, many = 0] = costs(loaded({ n: 3 }, { n: 4 }), {
      promptTokens: 1,
      cachedTokens: 0,
      answerTokens: 1,
    });
    expect(few).toBeLessThan(many);
  });
});
