import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { plainCounters } from '../../../src/admission/counters.ts';
import { eligible, surelyEligible } from '../../../src/selection/eligible.ts';
import { isPanicking, PanicWatch } from '../../../src/selection/panic.ts';
import { leastConnections } from '../../../src/selection/policies/least-connections.ts';
import { connectionCost } from '../../../src/selection/policy.ts';
import { aCandidate } from '../../support/candidates.ts';
import { fakeClock } from '../../support/fake-clock.ts';
import { seededRandom } from '../../support/seeded-random.ts';

const member = fc.record({
  weight: fc.constantFrom(0.5, 1, 2),
  inFlight: fc.nat(3),
  failures: fc.constantFrom(0, 0, 0, 2),
  health: fc.constantFrom('up', 'up', 'up', 'down', 'loading', 'unknown'),
  ejected: fc.constantFrom(false, false, false, true),
  context: fc.constantFrom(undefined, 1_000, 100),
  heldOff: fc.constantFrom(undefined, true, false),
  backSinceMs: fc.constantFrom(undefined, undefined, 900),
});
const request = fc.record({
  contextTokens: fc.constantFrom(0, 500),
  panicRatio: fc.constantFrom(0.5, 0, 1),
  tried: fc.constantFrom<readonly string[]>([], [], ['b0']),
});

describe('the first choice of least connections', () => {
  it('is one that a ranking of all who may take it could have put first', () => {
    let found = 0;
    fc.assert(
      fc.property(fc.array(member, { minLength: 1, maxLength: 12 }), request, fc.nat(), (members, asked, seed) => {
        const clock = fakeClock(1_000);
        const inFlight = plainCounters();
        const parts = { inFlight, clock, random: seededRandom(seed) };
        const candidates = members.map(({ heldOff, inFlight: running, failures, backSinceMs, ...wishes }, n) => {
          const { context, ...others } = wishes;
          const holdOff = heldOff === undefined ? undefined : ({ why: 'busy', untilMs: 2_000, told: heldOff } as const);
          const candidate = aCandidate({
            name: `b${n}`,
            ...others,
            ...(context === undefined ? {} : { context }),
            holdOff,
          });
          for (let m = 0; m < running; m++) inFlight.add(candidate.state.index, 1);
          for (let m = 0; m < failures; m++) candidate.memberState.failures.add(1_000);
          candidate.state.backSinceMs = backSinceMs;
          return candidate;
        });
        const requirements = { needs: [], ...asked, tried: new Set(asked.tried) };
        const panicking = isPanicking(candidates, requirements.panicRatio);
        const acceptable = surelyEligible(requirements, 1_000, panicking);
        const best = acceptable && leastConnections(parts).best?.(candidates, acceptable);
        if (best === undefined) return;
        found++;
        const may = eligible(candidates, requirements, 1_000);
        expect(may).toContain(best);
        expect(connectionCost(best, parts)).toBe(Math.min(...may.map((one) => connectionCost(one, parts))));
      }),
      { numRuns: 2_000 },
    );
    expect(found).toBeGreaterThan(200);
  });

  it('is not told where one can not be judged without the others', () => {
    const [one, other] = [aCandidate({ name: 'one' }), aCandidate({ name: 'other', health: 'down' })];
    const nothing = { needs: [], contextTokens: 0, tried: new Set<string>(), panicRatio: 0.5 };
    expect(surelyEligible({ ...nothing, tried: new Set(['x']) }, 0, false)).toBeUndefined();
    expect(surelyEligible({ ...nothing, largerThanTokens: 10 }, 0, false)).toBeUndefined();
    expect(surelyEligible(nothing, 0, true)).toBeUndefined();
    expect(surelyEligible(nothing, 0, false)?.(one)).toBe(true);
    expect(surelyEligible(nothing, 0, false)?.(other)).toBe(false);
  });

  it('is none where many of the cheapest are out', () => {
    const candidates = Array.from({ length: 30 }, (_, n) =>
      aCandidate({ name: `b${n}`, ...(n < 12 ? { holdOff: { why: 'busy', untilMs: 2_000, told: true } } : {}) }),
    );
    const inFlight = plainCounters();
    for (const { state } of candidates.slice(12)) inFlight.add(state.index, 1);
    const policy = leastConnections({ inFlight, clock: fakeClock(), random: () => 0 });
    const requirements = { needs: [], contextTokens: 0, tried: new Set<string>(), panicRatio: 0.5 };
    const acceptable = surelyEligible(requirements, 1_000, false);
    expect(acceptable).toBeDefined();
    expect(acceptable && policy.best?.(candidates, acceptable)).toBeUndefined();
  });
});

describe('a watch for panic', () => {
  const fleet = (size: number) => Array.from({ length: size }, (_, n) => aCandidate({ name: `b${n}` }));
  const fall = (candidates: ReturnType<typeof fleet>) => {
    for (const { state } of candidates) state.health = 'down';
  };

  it('sees at once what becomes of a few members', () => {
    const [watch, candidates] = [new PanicWatch(), fleet(64)];
    expect(watch.look(candidates, 0.5, 1_000)).toBe(false);
    fall(candidates);
    expect(watch.look(candidates, 0.5, 1_000)).toBe(true);
  });

  it('sees what becomes of many within 100 ms', () => {
    const [watch, candidates] = [new PanicWatch(), fleet(65)];
    expect(watch.look(candidates, 0.5, 1_000)).toBe(false);
    fall(candidates);
    expect(watch.look(candidates, 0.5, 1_099)).toBe(false);
    expect(watch.look(candidates, 0.5, 1_100)).toBe(true);
    expect(watch.look(candidates, 1, 1_100)).toBe(false);
  });
});
