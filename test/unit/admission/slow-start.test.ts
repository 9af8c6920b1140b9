import { describe, expect, it } from 'vitest';
import { plainCounters } from '../../../src/admission/counters.ts';
import { createSlots, type Slot } from '../../../src/admission/slots.ts';
import { roomGrowsAtMs, roomOf, shareOf } from '../../../src/admission/slow-start.ts';
import { WaitingRoom } from '../../../src/admission/waiting-room.ts';
import { GatewayError } from '../../../src/errors.ts';
import { leastConnections } from '../../../src/selection/policies/least-connections.ts';
import { roundRobin } from '../../../src/selection/policies/round-robin.ts';
import type { Candidate } from '../../../src/selection/policy.ts';
import { anAsk } from '../../support/an-ask.ts';
import { aCandidate, namesOf } from '../../support/candidates.ts';
import { fakeClock } from '../../support/fake-clock.ts';

const back = (sinceMs: number, wishes: Parameters<typeof aCandidate>[0] = {}): Candidate => {
  const candidate = aCandidate(wishes);
  candidate.state.backSinceMs = sinceMs;
  return candidate;
};

describe('a member that has come back', () => {
  it('gets a tenth of its share at first and all of it 30 s later', () => {
    const candidate = back(1_000);
    const shares = [1_000, 16_000, 31_000, 99_000].map((nowMs) => shareOf(candidate, nowMs));
    expect(shares).toEqual([0.1, 0.55, 1, 1]);
  });

  it('counts from whichever came back last, its health or its circuit', () => {
    const candidate = back(0);
    candidate.memberState.backSinceMs = 10_000;
    expect(shareOf(candidate, 10_000)).toBeCloseTo(0.1);
    expect(shareOf(candidate, 30_000)).toBeCloseTo(0.7);
  });

  it('has room for as much of its bound as its share, and always for one', () => {
    expect(roomOf(back(0, { maxInFlight: 64 }), 0)).toBe(6);
    expect(roomOf(back(0, { maxInFlight: 64 }), 15_000)).toBe(35);
    expect(roomOf(back(0, { maxInFlight: 4 }), 0)).toBe(1);
    expect(roomOf(back(0), 0)).toBe(Infinity);
  });

  it('has room for as much of a learnt limit, too, and of what that becomes', () => {
    const candidate = back(0, { maxInFlight: 'auto' });
    expect([roomOf(candidate, 0), roomOf(candidate, 15_000), roomOf(candidate, 30_000)]).toEqual([1, 2, 4]);
    const { limit } = candidate.state;
    const answer = { startedMs: 0, firstTokenMs: 10, totalMs: 100, promptTokens: 10, outputTokens: 10, inFlight: 4 };
    for (let n = 0; n < 4; n++) limit.learn(answer);
    expect(limit.value).toBe(8);
    expect([roomOf(candidate, 0), roomOf(candidate, 15_000), roomOf(candidate, 30_000)]).toEqual([1, 4, 8]);
  });

  it('knows when there is room for one more, until it has all', () => {
    const candidate = back(0, { maxInFlight: 10 });
    const rooms: number[] = [];
    let nowMs: number | undefined = 0;
    while (nowMs !== undefined) {
      rooms.push(roomOf(candidate, nowMs));
      nowMs = roomGrowsAtMs([aCandidate({ maxInFlight: 4 }), candidate], nowMs);
    }
    expect(rooms).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  it('is not slow when it has never been away, or when slow start is off', () => {
    expect(shareOf(aCandidate(), 0)).toBe(1);
    expect(roomGrowsAtMs([aCandidate({ maxInFlight: 10 })], 0)).toBeUndefined();
    const off = { ...back(0, { maxInFlight: 10 }), slowStartMs: 0 };
    expect([shareOf(off, 0), roomOf(off, 0), roomGrowsAtMs([off], 0)]).toEqual([1, 10, undefined]);
  });

  it('is chosen by the share it has: of equal boxes ten times less often at first', () => {
    const clock = fakeClock(0);
    const inFlight = plainCounters();
    const [fresh, settled] = [back(0, { name: 'fresh' }), aCandidate({ name: 'settled' })];
    const slots = createSlots(inFlight);
    const policy = leastConnections({ inFlight, clock, random: () => 0 });
    for (let n = 0; n < 22; n++) slots.claim(policy.rank([fresh, settled], anAsk()), 0);
    expect([inFlight.read(fresh.state.index), inFlight.read(settled.state.index)]).toEqual([2, 20]);
    const turns = roundRobin({ inFlight, clock, random: () => 0 });
    const firsts = Array.from({ length: 22 }, () => namesOf(turns.rank([fresh, settled], anAsk()))[0]);
    expect(firsts.filter((name) => name === 'fresh')).toHaveLength(2);
  });
});

describe('500 who wait for a backend that restarts', () => {
  it('are let in as its room grows, by a timer and without anything ending, never beyond it', async () => {
    const clock = fakeClock(0);
    const counters = plainCounters();
    const candidate = back(0, { maxInFlight: 40 });
    let room: WaitingRoom | undefined = undefined;
    const slots = createSlots(counters, () => room?.wake());
    room = new WaitingRoom(clock, { left: () => {}, refused: () => {} });
    const served: Slot[] = [];
    const over: number[] = [];
    for (let n = 0; n < 500; n++) {
      const entered = room.enter({
        model: 'm',
        kind: () => 'm',
        tenant: 't',
        priority: 'normal',
        cost: 1,
        weight: 1,
        maxLength: 500,
        maxWaitMs: 120_000,
        claim() {
          const slot = slots.claim([candidate], clock.now());
          if (slot !== undefined) served.push(slot);
          if (counters.read(candidate.state.index) > roomOf(candidate, clock.now())) over.push(clock.now());
          return slot;
        },
        againAtMs: () => roomGrowsAtMs([candidate], clock.now()),
        gone: new AbortController().signal,
        whyGone: () => new GatewayError('client_closed', 'gone'),
      });
      entered.catch(() => {});
    }
    const inFlight: number[] = [];
    for (let second = 0; second <= 40; second += 10) {
      inFlight.push(counters.read(candidate.state.index));
      clock.advance(10_001);
    }
    expect(inFlight).toEqual([4, 16, 28, 40, 40]);
    expect(over).toEqual([]);
    // Nobody polls: what is left are the time limits of those that still wait.
    expect(clock.waiting).toBe(room.size);
    while (served.length > 0) served.shift()?.release();
    expect([room.size, counters.read(candidate.state.index), clock.waiting]).toEqual([0, 0, 0]);
  });
});
