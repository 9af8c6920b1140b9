import { describe, expect, it } from 'vitest';
import { Silence } from '../../../src/fleet/silence.ts';
import { clearWorker, createMemory, openTable } from '../../../src/workers/memory.ts';
import { isStalledAnywhere, sharedEars, showStalled } from '../../../src/workers/shared-backends.ts';
import { sharedCounters } from '../../../src/workers/shared-counters.ts';
import { fakeClock } from '../../support/fake-clock.ts';

const backend = 2;
const stallAfterMs = 10_000;
const firstByteMs = 120_000;

/** Two workers in front of one backend. */
function setting() {
  const clock = fakeClock();
  const table = openTable(createMemory(2));
  const recovered: number[] = [];
  const worker = (number: number) => {
    const counters = sharedCounters(table, number);
    const silence = new Silence({
      clock,
      stallAfterMs,
      changed: (stalled) => showStalled(table, number, backend, stalled),
      others: sharedEars(table, backend, { counters, recovered: () => recovered.push(number) }),
    });
    const ask = () => {
      counters.add(backend, 1);
      silence.asked(firstByteMs);
    };
    return { silence, ask };
  };
  return { clock, table, recovered, a: worker(0), b: worker(1) };
}

describe('a backend that several workers ask', () => {
  it('is stalled for all of them when one has heard nothing for too long', () => {
    const { clock, table, a, b } = setting();
    a.ask();
    a.ask();
    clock.advance(stallAfterMs);
    expect([a.silence.stalled, b.silence.stalled, isStalledAnywhere(table, backend)]).toEqual([true, true, true]);
    a.silence.heard(clock.now());
    expect([a.silence.stalled, b.silence.stalled]).toEqual([false, false]);
  });

  it('is not stalled while something comes to another worker', () => {
    const { clock, a, b } = setting();
    a.ask();
    b.ask();
    for (let n = 0; n < 5; n++) {
      clock.advance(stallAfterMs / 2);
      b.silence.heard(clock.now());
    }
    expect([a.silence.stalled, b.silence.stalled]).toEqual([false, false]);
    clock.advance(stallAfterMs);
    expect(a.silence.stalled).toBe(true);
  });

  it('has no lone request where another worker has one there too', () => {
    const { clock, a, b } = setting();
    a.ask();
    clock.advance(stallAfterMs);
    expect(a.silence.stalled).toBe(false);
    b.ask();
    clock.advance(stallAfterMs);
    expect([a.silence.stalled, b.silence.stalled]).toEqual([true, true]);
  });

  it('has the worker told that found it silent, when something comes to another', () => {
    const { clock, recovered, a, b } = setting();
    a.ask();
    a.ask();
    clock.advance(stallAfterMs);
    b.silence.heard(clock.now());
    expect(recovered).toEqual([1]);
    a.silence.heard(clock.now());
    expect(b.silence.stalled).toBe(false);
  });

  it('is as silent as the others have found it when the worker has died that did', () => {
    const { clock, table, a, b } = setting();
    a.ask();
    a.ask();
    clock.advance(stallAfterMs);
    clearWorker(table, 0);
    clearWorker(table, 0);
    expect([b.silence.stalled, isStalledAnywhere(table, backend)]).toEqual([false, false]);
  });
});
