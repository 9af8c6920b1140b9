import { describe, expect, it } from 'vitest';
import { eligible, type Requirements, whyNobody } from '../../../src/selection/eligible.ts';
import { aCandidate, namesOf } from '../../support/candidates.ts';

const nothing: Requirements = { needs: [], contextTokens: 0, tried: new Set(), panicRatio: 0.5 };
const names = (candidates: Parameters<typeof eligible>[0], request: Partial<Requirements> = {}, nowMs = 0) =>
  namesOf(eligible(candidates, { ...nothing, ...request }, nowMs));

describe('who may take a request', () => {
  it('is who is up and enabled', () => {
    const candidates = [
      aCandidate({ name: 'up' }),
      aCandidate({ name: 'down', health: 'down' }),
      aCandidate({ name: 'loading', health: 'loading' }),
      aCandidate({ name: 'asleep', health: 'asleep' }),
      aCandidate({ name: 'misconfigured', health: 'misconfigured' }),
      aCandidate({ name: 'draining', state: 'draining' }),
    ];
    expect(names(candidates)).toEqual(['up']);
  });

  it('is not who had its try already', () => {
    expect(names([aCandidate({ name: 'a' }), aCandidate({ name: 'b' })], { tried: new Set(['a']) })).toEqual(['b']);
  });

  it('is not who is known not to be able; unknown counts as able', () => {
    const candidates = [
      aCandidate({ name: 'no', can: { tools: false } }),
      aCandidate({ name: 'unknown' }),
      aCandidate({ name: 'yes', can: { tools: true } }),
    ];
    expect(names(candidates, { needs: ['tools'] })).toEqual(['unknown', 'yes']);
  });

  it('is not who has refused it before, until that is long ago', () => {
    const candidate = aCandidate({ name: 'a' });
    candidate.memberState.unable.set('vision', 500);
    expect(names([candidate], { needs: ['vision'] }, 499)).toEqual([]);
    expect(names([candidate], { needs: ['vision'] }, 500)).toEqual(['a']);
  });

  it('is who has the context, or else the largest', () => {
    const candidates = [aCandidate({ name: 'small', context: 10 }), aCandidate({ name: 'large', context: 100 })];
    expect(names(candidates, { contextTokens: 5 })).toEqual(['small', 'large']);
    expect(names(candidates, { contextTokens: 50 })).toEqual(['large']);
    expect(names(candidates, { contextTokens: 500 })).toEqual(['large']);
  });

  it('is only who is larger, after an overflow', () => {
    const candidates = [aCandidate({ name: 'same', context: 10 }), aCandidate({ name: 'large', context: 100 })];
    expect(names(candidates, { largerThanTokens: 10 })).toEqual(['large']);
    expect(names(candidates, { largerThanTokens: Infinity })).toEqual([]);
  });

  it('is not who asked to be left alone, and only in need who merely seemed full', () => {
    const told = aCandidate({ name: 'told', holdOff: { why: 'busy', untilMs: 100, told: true } });
    const guessed = aCandidate({ name: 'guessed', holdOff: { why: 'busy', untilMs: 100, told: false } });
    expect(names([told, guessed, aCandidate({ name: 'free' })])).toEqual(['free']);
    expect(names([told, guessed])).toEqual(['guessed']);
    expect(names([told])).toEqual([]);
    expect(names([told], {}, 100)).toEqual(['told']);
  });

  it('is an ejected one when there is nobody else', () => {
    const ejected = aCandidate({ name: 'ejected', ejected: true });
    const candidates = [ejected, aCandidate({ name: 'fine' }), aCandidate({ name: 'fine too' })];
    expect(names(candidates)).toEqual(['fine', 'fine too']);
    expect(names(candidates, { tried: new Set(['fine', 'fine too']) })).toEqual(['ejected']);
  });

  it('is one that was never probed only while nobody is known to be up', () => {
    const unprobed = aCandidate({ name: 'unprobed', health: 'unknown' });
    expect(names([unprobed, aCandidate({ name: 'up' })])).toEqual(['up']);
    expect(names([unprobed])).toEqual(['unprobed']);
  });
});

describe('why nobody may', () => {
  it('is that they asked to be left alone, and for how long', () => {
    const candidates = [
      aCandidate({ holdOff: { why: 'busy', untilMs: 900, told: true } }),
      aCandidate({ holdOff: { why: 'busy', untilMs: 400, told: true } }),
      aCandidate({ health: 'down' }),
    ];
    expect(whyNobody(candidates, 100)).toEqual({ reason: 'busy', retryAfterMs: 300 });
  });

  it('is that they are gone', () => {
    expect(whyNobody([aCandidate({ health: 'down' })], 0)).toEqual({ reason: 'gone' });
  });
});
