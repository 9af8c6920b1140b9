// What engines report of themselves: it is added where it is more than is known, and no longer than it is fresh.
import { describe, expect, it } from 'vitest';
import { aJob, aStand } from './placed.ts';

describe('a reported load', () => {
  it('adds what nobody here has sent, by and by', () => {
    const { placement } = aStand(2);
    placement.book(0, aJob());
    for (let n = 0; n < 30; n++) placement.reported(0, { requests: 5, kvUsage: 0.5, atMs: 0 });
    expect(placement.loads.requestsAt(0)).toBeCloseTo(5, 2);
    expect(placement.loads.residentAt(0)).toBeCloseTo(200_000, -2);
    expect(placement.loads.requestsAt(1)).toBe(0);
  });

  it('takes nothing away from what was sent', () => {
    const { placement } = aStand(1);
    for (let n = 0; n < 4; n++) placement.book(0, aJob());
    placement.reported(0, { requests: 0, kvUsage: 0, atMs: 0 });
    expect([placement.loads.requestsAt(0), placement.loads.residentAt(0)]).toEqual([4, 4 * 4_096]);
  });

  it('counts less once it is three seconds old, and nothing after ten', () => {
    const stand = aStand(1);
    for (let n = 0; n < 30; n++) stand.placement.reported(0, { requests: 8, atMs: 0 });
    const after = (ms: number) => {
      stand.clock.advance(ms);
      stand.order(aJob());
      return stand.placement.loads.requestsAt(0);
    };
    expect(after(3_000)).toBeCloseTo(8, 2);
    expect(after(3_500)).toBeCloseTo(4, 2);
    expect(after(3_500)).toBe(0);
  });

  it('is never less than what is in flight in whatever way', () => {
    const { placement } = aStand(1);
    placement.loads.of.counted[0] = 7;
    expect(placement.loads.requestsAt(0)).toBe(7);
  });
});

describe('a backend', () => {
  it('that gets the index of another one has nothing of it', () => {
    const { placement } = aStand(2);
    const job = aJob();
    placement.book(0, job).end();
    placement.incoming('r', { loads: [{ backend: 0, requests: 3, pending: 5, resident: 7 }], prefixes: [] });
    placement.join(0, { id: 77, weight: 2, machine: { ...machine }, cohort: 1 });
    expect(placement.appraise(0, job).cachedTokens).toBe(0);
    expect(placement.loads.requestsAt(0)).toBe(0);
    placement.incoming('r', { loads: [{ backend: 0, requests: 1, pending: 0, resident: 0 }], prefixes: [] });
    expect(placement.loads.requestsAt(0)).toBe(1);
    expect(placement.loads.slownessAt(0)).toBe(0.5);
  });

  it('whose settings change keeps its load, and what was learnt of its pace', () => {
    const { placement } = aStand(1);
    placement.book(0, aJob());
    placement.loads.of.slowness[0] = 3;
    placement.update(0, { id: 1, weight: 2, machine, cohort: 0 });
    expect(placement.loads.requestsAt(0)).toBe(1);
    expect(placement.loads.slownessAt(0)).toBe(1.5);
  });
});

const machine = {
  perToken: 1e-4,
  attention: 0,
  perStep: 0.01,
  perSequence: 0,
  perResident: 0,
  capacityTokens: 100_000,
};
