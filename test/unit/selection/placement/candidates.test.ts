// What is told of backends on the way to a choice: their load, their settings, restarts, failures, and who they are.
import { describe, expect, it } from 'vitest';
import { plainCounters } from '../../../../src/admission/counters.ts';
import { CandidateCosts } from '../../../../src/selection/placement/candidates.ts';
import { Placement } from '../../../../src/selection/placement/placement.ts';
import { leastCost } from '../../../../src/selection/policies/least-cost.ts';
import { anAsk } from '../../../support/an-ask.ts';
import { aRequest } from '../../../support/a-request.ts';
import { aCandidate, type CandidateWishes, namesOf } from '../../../support/candidates.ts';
import { fakeClock } from '../../../support/fake-clock.ts';
import { seededRandom } from '../../../support/seeded-random.ts';

function aStand(...wishes: readonly CandidateWishes[]) {
  const clock = fakeClock(0);
  const inFlight = plainCounters();
  const random = seededRandom(1);
  const placement = new Placement(clock, random);
  const costs = new CandidateCosts(placement, clock, inFlight);
  const policy = leastCost({ clock, inFlight, random, costs });
  const candidates = wishes.map((wish, n) => aCandidate({ name: `b${n}`, ...wish }));
  return { clock, inFlight, placement, policy, candidates, first: () => namesOf(policy.rank(candidates, anAsk()))[0] };
}

/** A conversation long enough to be remembered. */
const long = Buffer.from(JSON.stringify({ messages: [{ role: 'user', content: 'word '.repeat(2_000) }] }));
const aConversation = () =>
  anAsk({
    body: long,
    fields: aRequest({ spans: { start: 1, model: { start: 0, end: 0 }, prompt: { start: 12, end: long.length - 1 } } }),
    promptTokens: 2_500,
  });

describe('the policy least-cost', () => {
  it('is least-connections while it knows nothing else', () => {
    const { inFlight, candidates, policy } = aStand({}, {}, {});
    const [a, b, c] = candidates.map(({ state }) => state.index);
    for (const index of [a, a, a, b, c, c]) inFlight.add(index ?? 0, 1);
    expect(namesOf(policy.rank(candidates, anAsk()))).toEqual(['b1', 'b2', 'b0']);
  });

  it('takes one of more weight for faster', () => {
    const stand = aStand({}, { weight: 2 }, {});
    expect(stand.first()).toBe('b1');
  });

  it('takes one that fails, or has just come back, for slower', () => {
    const { candidates, clock, first } = aStand({}, {});
    candidates[0]?.memberState.failures.add(clock.now());
    expect(Array.from({ length: 10 }, first)).toEqual(Array.from({ length: 10 }, () => 'b1'));
    candidates[0]?.memberState.failures.clear();
    const [, second] = candidates;
    if (second !== undefined) second.state.backSinceMs = clock.now();
    expect(Array.from({ length: 10 }, first)).toEqual(Array.from({ length: 10 }, () => 'b0'));
  });

  it('leaves one alone whose engine reports much that nobody here has sent', () => {
    const { candidates, first } = aStand({}, {});
    first();
    const [busy] = candidates;
    if (busy !== undefined)
      busy.state.signals.load = { reading: { running: 20, waiting: 10, kvUsage: 0.9 }, atMs: 0, everyMs: 2_000 };
    expect(Array.from({ length: 10 }, first)).toEqual(Array.from({ length: 10 }, () => 'b1'));
  });

  it('goes back to who knows a conversation, until that one was away', () => {
    const { candidates, policy } = aStand({}, {}, {});
    const [home] = policy.rank(candidates, aConversation());
    if (home === undefined) throw new Error('nobody');
    policy.book?.(home, aConversation()).end();
    for (let n = 0; n < 10; n++) expect(policy.rank(candidates, aConversation())[0]).toBe(home);
    expect(policy.detail?.(home, aConversation())).toMatch(/; holds 2\d{3} of 2500 tokens$/);
    home.state.backSinceMs = 0;
    policy.rank(candidates, aConversation());
    expect(policy.detail?.(home, aConversation())).not.toContain('holds');
  });

  it('knows nothing of a backend that has got the index of another one', () => {
    const { candidates, policy, placement } = aStand({});
    const [old] = candidates;
    if (old === undefined) throw new Error('nobody');
    policy.rank(candidates, aConversation());
    policy.book?.(old, aConversation());
    const next = { ...old, state: { ...old.state, name: 'another' } };
    policy.rank([next], aConversation());
    expect(placement.loads.requestsAt(old.state.index)).toBe(0);
    expect(policy.detail?.(next, aConversation())).not.toContain('holds');
  });

  it('believes a backend about how much its cache has room for', () => {
    const { candidates, placement, first } = aStand({}, { weight: 3 });
    first();
    const [one] = candidates;
    if (one === undefined) throw new Error('nobody');
    const capacity = () => placement.loads.of.capacity[one.state.index];
    one.state.discovered = [{ id: 'm', can: {}, kvTokens: 32_768 }];
    first();
    expect(capacity()).toBe(32_768);
    one.state.signals.load = { reading: { running: 0, waiting: 0, kvTokens: 480_000 }, atMs: 0, everyMs: 2_000 };
    first();
    expect(capacity()).toBe(480_000);
  });

  it('asks who is full last, and all others before', () => {
    const { candidates, inFlight, first } = aStand({ maxInFlight: 1 }, {});
    inFlight.add(candidates[0]?.state.index ?? 0, 1);
    expect(first()).toBe('b1');
  });
});
