import { describe, expect, it } from 'vitest';
import { plainCounters } from '../../../src/admission/counters.ts';
import { createSlots } from '../../../src/admission/slots.ts';
import { leastConnections } from '../../../src/selection/policies/least-connections.ts';
import { roundRobin } from '../../../src/selection/policies/round-robin.ts';
import { twoChoices } from '../../../src/selection/policies/two-choices.ts';
import { anAsk } from '../../support/an-ask.ts';
import { aCandidate, namesOf } from '../../support/candidates.ts';
import { fakeClock } from '../../support/fake-clock.ts';
import { seededRandom } from '../../support/seeded-random.ts';

function setting() {
  const clock = fakeClock();
  const inFlight = plainCounters();
  return { clock, inFlight, random: seededRandom(1), slots: createSlots(inFlight) };
}

describe('least connections', () => {
  it('puts the smallest (in_flight + 1) / weight first', () => {
    const parts = setting();
    const [a, b] = [aCandidate({ name: 'a', weight: 1 }), aCandidate({ name: 'b', weight: 3 })];
    const policy = leastConnections(parts);
    for (let n = 0; n < 8; n++) parts.slots.claim(policy.rank([a, b], anAsk()), 0);
    expect([parts.inFlight.read(a.state.index), parts.inFlight.read(b.state.index)]).toEqual([2, 6]);
  });

  it('does not take one that fails fast for an idle one', () => {
    const parts = setting();
    const [failing, busy] = [aCandidate({ name: 'failing' }), aCandidate({ name: 'busy' })];
    for (let n = 0; n < 4; n++) failing.memberState.failures.add(parts.clock.now());
    for (let n = 0; n < 3; n++) parts.inFlight.add(busy.state.index, 1);
    expect(namesOf(leastConnections(parts).rank([failing, busy], anAsk()))).toEqual(['busy', 'failing']);
  });

  it('forgets failures with a half-life of 10 s, and at once after a success', () => {
    const { memberState } = aCandidate();
    for (let n = 0; n < 4; n++) memberState.failures.add(0);
    expect(memberState.failures.at(10_000)).toBeCloseTo(2);
    expect(memberState.failures.at(20_000)).toBeCloseTo(1);
    memberState.failures.clear();
    expect(memberState.failures.at(20_000)).toBe(0);
  });
});

describe('round-robin', () => {
  it('takes turns in proportion to weight, spread evenly', () => {
    const candidates = [
      aCandidate({ name: 'a', weight: 5 }),
      aCandidate({ name: 'b', weight: 1 }),
      aCandidate({ name: 'c', weight: 1 }),
    ];
    const policy = roundRobin(setting());
    const turns = Array.from({ length: 7 }, () => policy.rank(candidates, anAsk())[0]?.backend.name);
    expect(turns).toEqual(['a', 'a', 'b', 'a', 'c', 'a', 'a']);
  });
});

describe('two choices', () => {
  it('never puts the dearest of all first', () => {
    const parts = setting();
    const candidates = ['a', 'b', 'c', 'd'].map((name) => aCandidate({ name }));
    candidates.forEach((candidate, n) => {
      for (let k = 0; k < n; k++) parts.inFlight.add(candidate.state.index, 1);
    });
    const policy = twoChoices(parts);
    const firsts = new Set(Array.from({ length: 200 }, () => policy.rank(candidates, anAsk())[0]?.backend.name));
    expect(firsts).toEqual(new Set(['a', 'b', 'c']));
  });
});

describe('the slot ledger', () => {
  it('claims the first with room, and counts in the same step', () => {
    const parts = setting();
    const [a, b] = [aCandidate({ name: 'a', maxInFlight: 1 }), aCandidate({ name: 'b', maxInFlight: 1 })];
    expect(parts.slots.claim([a, b], 0)?.candidate).toBe(a);
    expect(parts.slots.claim([a, b], 0)?.candidate).toBe(b);
    expect(parts.slots.claim([a, b], 0)).toBeUndefined();
  });

  it('gives a slot back once, however often it is released, and never counts below zero', () => {
    const parts = setting();
    const a = aCandidate({ name: 'a' });
    const [first, second] = [parts.slots.claim([a], 0), parts.slots.claim([a], 0)];
    first?.release();
    first?.release();
    expect(parts.inFlight.read(a.state.index)).toBe(1);
    second?.release();
    expect(parts.inFlight.read(a.state.index)).toBe(0);
    expect(parts.inFlight.add(a.state.index, -1)).toBe(0);
  });
});
