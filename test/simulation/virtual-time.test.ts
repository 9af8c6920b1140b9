import { describe, expect, it } from 'vitest';
import { seededRandom } from '../support/seeded-random.ts';
import { VirtualTime } from './virtual-time.ts';

describe('virtual time', () => {
  it('runs what is due in order of time, and of asking where that is the same', () => {
    const time = new VirtualTime();
    const random = seededRandom(1);
    const seen: [atMs: number, serial: number][] = [];
    for (let serial = 0; serial < 500; serial++) {
      const atMs = Math.floor(random() * 50);
      time.at(atMs, () => seen.push([atMs, serial]));
    }
    time.runUntil(() => false);
    expect(seen).toEqual(seen.toSorted((a, b) => a[0] - b[0] || a[1] - b[1]));
    expect(seen).toHaveLength(500);
  });

  it('runs what is asked for on the way, never in the past', () => {
    const time = new VirtualTime();
    const seen: number[] = [];
    time.at(10, () => time.at(5, () => seen.push(time.now())));
    time.runUntil(() => false);
    expect(seen).toEqual([10]);
  });

  it('does not run what was called off', () => {
    const time = new VirtualTime();
    let runs = 0;
    const cancel = time.after(10, () => runs++);
    time.at(5, cancel);
    time.runUntil(() => false);
    expect(runs).toBe(0);
  });

  it('goes on with what comes again and again until it is done', () => {
    const time = new VirtualTime();
    let runs = 0;
    time.every(100, () => runs++, 30);
    time.runUntil(() => runs === 4);
    expect(time.now()).toBe(330);
  });
});
