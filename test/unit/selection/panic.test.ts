import { describe, expect, it } from 'vitest';
import { eligible, type Requirements } from '../../../src/selection/eligible.ts';
import { isPanicking, lookedAtAgainMs } from '../../../src/selection/panic.ts';
import type { Candidate } from '../../../src/selection/policy.ts';
import { aCandidate, type CandidateWishes, namesOf } from '../../support/candidates.ts';

const down: CandidateWishes = { health: 'down' };
const ejected: CandidateWishes = { ejected: true };
const fleet = (...wishes: readonly CandidateWishes[]): readonly Candidate[] =>
  wishes.map((wish, n) => aCandidate({ name: `b${n}`, ...wish }));
const names = (candidates: readonly Candidate[], request: Partial<Requirements> = {}) =>
  namesOf(eligible(candidates, { needs: [], contextTokens: 0, tried: new Set(), panicRatio: 0.5, ...request }, 0));

describe('the panic rule', () => {
  it('holds when more than the share is out, whether its probes or its circuit say so', () => {
    expect(isPanicking(fleet({}, {}, down, ejected), 0.5)).toBe(false);
    expect(isPanicking(fleet({}, ejected, down, ejected), 0.5)).toBe(true);
    expect(isPanicking(fleet({}, {}, down, ejected), 0.4)).toBe(true);
    expect(isPanicking(fleet(down), 0.5)).toBe(true);
    expect(isPanicking([], 0.5)).toBe(false);
  });

  it('makes everybody a candidate who was out', () => {
    expect(names(fleet({}, {}, down, ejected))).toEqual(['b0', 'b1']);
    expect(names(fleet({}, down, down, ejected))).toEqual(['b0', 'b1', 'b2', 'b3']);
    expect(names(fleet(down))).toEqual(['b0']);
  });

  it('counts and uses no one that an operator has taken out, or that is out by its own word', () => {
    const candidates = fleet(
      { state: 'draining' },
      { state: 'disabled' },
      { health: 'loading' },
      { health: 'asleep' },
      { health: 'misconfigured' },
      {},
      down,
      down,
    );
    expect(names(candidates)).toEqual(['b5', 'b6', 'b7']);
    expect(names(fleet({ state: 'draining', ...down }, { health: 'loading' }))).toEqual([]);
    expect(names(fleet({ health: 'loading' }, {}, {}, down))).toEqual(['b1', 'b2']);
  });

  it('leaves alone who has asked for it, needs what is needed, and knows who was tried', () => {
    const holdOff = { why: 'busy', untilMs: 100, told: true } as const;
    expect(names(fleet({ ...down, holdOff }, down))).toEqual(['b1']);
    expect(names(fleet({ ...down, can: { tools: false } }, down), { needs: ['tools'] })).toEqual(['b1']);
    expect(names(fleet(down, down), { tried: new Set(['b0']) })).toEqual(['b1']);
  });

  it('spends only the first try on who is out, while somebody else is left', () => {
    const candidates = fleet({}, down, down, ejected);
    expect(names(candidates, { tried: new Set(['b3']) })).toEqual(['b0']);
    expect(names(candidates, { tried: new Set(['b0']) })).toEqual(['b1', 'b2', 'b3']);
  });

  it('is off at 1, and then nobody is tried who is out', () => {
    const off = { panicRatio: 1 };
    expect(isPanicking(fleet(down, down, ejected), 1)).toBe(false);
    expect(names(fleet({}, down, ejected, ejected), off)).toEqual(['b0']);
    expect(names(fleet(down, ejected), off)).toEqual([]);
  });
});

describe('when those that are out are looked at again', () => {
  it('is when the first probe is due or the first pause is over', () => {
    const [a, b, c] = [aCandidate(down), aCandidate(down), aCandidate({ ...down, state: 'draining' })];
    expect(lookedAtAgainMs([a, b, c])).toBeUndefined();
    for (const [candidate, atMs] of [
      [a, 4_000],
      [b, 3_000],
      [c, 1_000],
    ] as const)
      candidate.state.probeAtMs = atMs;
    expect(lookedAtAgainMs([a, b, c])).toBe(3_000);
    const paused = { ...b, memberState: { ...b.memberState, circuit: { ...b.memberState.circuit, retryAtMs: 9_000 } } };
    expect(lookedAtAgainMs([paused, a])).toBe(4_000);
  });
});
