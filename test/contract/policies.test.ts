import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { plainCounters } from '../../src/admission/counters.ts';
import { policies } from '../../src/selection/policies/index.ts';
import { anAsk } from '../support/an-ask.ts';
import { aCandidate } from '../support/candidates.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { seededRandom } from '../support/seeded-random.ts';

describe.each(Object.entries(policies))('the policy %s', (name, make) => {
  it('is called what the table calls it', () => {
    expect(make({ inFlight: plainCounters(), clock: fakeClock(), random: () => 0 }).name).toBe(name);
  });

  it('ranks every candidate exactly once and leaves the list it was given alone', () => {
    fc.assert(
      fc.property(
        fc.array(fc.float({ min: Math.fround(0.1), max: 10, noNaN: true }), { minLength: 1, maxLength: 12 }),
        fc.nat(),
        (weights, seed) => {
          const candidates = weights.map((weight, n) => aCandidate({ name: `b${n}`, weight }));
          const given = candidates.slice();
          const ranked = make({ inFlight: plainCounters(), clock: fakeClock(), random: seededRandom(seed) }).rank(
            candidates,
            anAsk(),
          );
          expect(candidates).toEqual(given);
          expect(new Set(ranked)).toEqual(new Set(given));
          expect(ranked).toHaveLength(given.length);
        },
      ),
    );
  });

  it('foresees what it would answer without changing what it will', () => {
    const candidates = [1, 2, 5].map((weight, n) => aCandidate({ name: `b${n}`, weight }));
    const parts = () => ({ inFlight: plainCounters(), clock: fakeClock(), random: () => 0.5 });
    const [asked, unasked, unturned] = [make(parts()), make(parts()), make(parts())];
    for (let n = 0; n < 10; n++) {
      const foreseen = [1, 2, 3].map(() => asked.foresee?.(candidates, anAsk()) ?? unturned.rank(candidates, anAsk()));
      for (const candidate of candidates) asked.score?.(candidate, anAsk());
      const ranked = asked.rank(candidates, anAsk());
      expect(foreseen).toEqual([ranked, ranked, ranked]);
      expect(ranked).toEqual(unasked.rank(candidates, anAsk()));
    }
  });

  it('says what it goes by', () => {
    const policy = make({ inFlight: plainCounters(), clock: fakeClock(), random: () => 0 });
    expect(policy.goesBy).toMatch(/^[a-z].*[^.]$/);
  });

  it('spreads equal, idle candidates evenly', () => {
    const inFlight = plainCounters();
    const candidates = [aCandidate({ name: 'a' }), aCandidate({ name: 'b' }), aCandidate({ name: 'c' })];
    const policy = make({ inFlight, clock: fakeClock(), random: seededRandom(7) });
    const first = new Map<string, number>();
    for (let n = 0; n < 3_000; n++) {
      const pick = policy.rank(candidates, anAsk())[0]?.backend.name ?? '';
      first.set(pick, (first.get(pick) ?? 0) + 1);
    }
    for (const name of ['a', 'b', 'c']) expect(Math.abs((first.get(name) ?? 0) - 1_000)).toBeLessThan(120);
  });
});
