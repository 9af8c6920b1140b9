// Every reason why a member does not take a request comes from where the choice is made, and has its words.
import { describe, expect, it } from 'vitest';
import { eligible, isUsable, passedOver, type Requirements, whyUnusable } from '../../../src/selection/eligible.ts';
import { inWords } from '../../../src/selection/why.ts';
import { aCandidate, type CandidateWishes } from '../../support/candidates.ts';

const nothing: Requirements = { needs: [], contextTokens: 0, tried: new Set(), panicRatio: 0.5 };

function saidOf(wishes: CandidateWishes, request: Partial<Requirements> = {}): string | undefined {
  const odd = aCandidate({ name: 'odd', ...wishes });
  const candidates = [odd, aCandidate({ name: 'b' }), aCandidate({ name: 'c' })];
  const requirements = { ...nothing, ...request };
  const reason = passedOver(candidates, requirements, 1_000).get(odd);
  expect(eligible(candidates, requirements, 1_000).includes(odd)).toBe(reason === undefined);
  return reason && inWords(odd, reason, requirements, 1_000);
}

const until = (ms: number, told: boolean, why: 'busy' | 'loading' = 'busy') => ({ why, untilMs: 1_000 + ms, told });

describe('a member that is passed over', () => {
  it.each<[string | undefined, CandidateWishes, Partial<Requirements>?]>([
    [undefined, {}],
    ['draining', { state: 'draining' }],
    ['disabled', { state: 'disabled' }],
    ['down', { health: 'down' }],
    ['loading', { health: 'loading' }],
    ['asleep', { health: 'asleep' }],
    ['misconfigured', { health: 'misconfigured' }],
    ['not probed yet', { health: 'unknown' }],
    ['circuit open', { ejected: true }],
    ['busy for 2 s', { holdOff: until(1_500, true) }],
    ['loading for 1 s', { holdOff: until(900, false, 'loading') }],
    ['has had its try', {}, { tried: new Set(['odd']) }],
    ['cannot do tools and vision', { can: { tools: false, vision: false } }, { needs: ['tools', 'vision'] }],
    ['cannot do tools', { can: { tools: false } }, { needs: ['tools', 'vision'] }],
    ['context of 8192 tokens, 12000 needed', { context: 8_192 }, { contextTokens: 12_000 }],
    ['context of 8192 tokens, more than 8192 needed', { context: 8_192 }, { largerThanTokens: 8_192 }],
  ])('has the words "%s"', (words, wishes, request) => {
    expect(saidOf(wishes, request)).toBe(words);
  });

  it('by a panic is nobody that is only down', () => {
    const candidates = ['a', 'b', 'c'].map((name) => aCandidate({ name, health: name === 'c' ? 'up' : 'down' }));
    expect([...passedOver(candidates, nothing, 0)]).toEqual([]);
    expect([...passedOver(candidates, { ...nothing, panicRatio: 1 }, 0).values()]).toEqual(['out', 'out']);
  });
});

describe('a member that is not usable', () => {
  it('has a reason, and one that is usable has none', () => {
    for (const health of ['up', 'down', 'loading', 'unknown'] as const)
      for (const ejected of [true, false]) {
        const candidate = aCandidate({ health, ejected });
        expect(isUsable(candidate, 0)).toBe(health === 'up' && !ejected);
        expect(whyUnusable(candidate, 0) === undefined).toBe(isUsable(candidate, 0));
      }
  });
});
