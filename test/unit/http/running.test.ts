import { describe, expect, it } from 'vitest';
import { Running } from '../../../src/http/running.ts';
import { seededRandom } from '../../support/seeded-random.ts';

describe('what is under way', () => {
  it('is whatever was added and not removed, in whichever order that happens', () => {
    const random = seededRandom(7);
    const running = new Running<{ place: number }>();
    const expected = new Set<{ place: number }>();
    for (let step = 0; step < 5_000; step++) {
      const known = [...expected];
      const one = known[Math.floor(random() * known.length)];
      if (one === undefined || random() < 0.5) {
        const added = { place: -1 };
        running.add(added);
        expected.add(added);
      } else {
        running.remove(one);
        expected.delete(one);
      }
      expect(running.size).toBe(expected.size);
    }
    expect(new Set(running.list())).toEqual(expected);
    for (const one of running.list()) running.remove(one);
    expect(running.size).toBe(0);
  });
});
