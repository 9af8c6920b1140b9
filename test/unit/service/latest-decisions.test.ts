import { describe, expect, it } from 'vitest';
import { plainCounters } from '../../../src/admission/counters.ts';
import type { Look } from '../../../src/routing/claim.ts';
import { Exchange } from '../../../src/routing/exchange.ts';
import { PanicWatch } from '../../../src/selection/panic.ts';
import { leastConnections } from '../../../src/selection/policies/least-connections.ts';
import { LatestDecisions } from '../../../src/service/report/latest-decisions.ts';
import { aCaller } from '../../support/a-fleet.ts';
import { aRequest } from '../../support/a-request.ts';
import { aCandidate } from '../../support/candidates.ts';
import { fakeClock } from '../../support/fake-clock.ts';

function aStand(count = 2) {
  const inFlight = plainCounters();
  const candidates = Array.from({ length: count }, (_, n) => aCandidate({ name: `b${n}`, maxInFlight: 1 }));
  const policy = leastConnections({ inFlight, clock: fakeClock(), random: () => 0 });
  const lookAt = (nowMs: number, queuedMs = 0): Look => ({
    exchange: new Exchange(`r${nowMs}`, 'completions', aCaller(), nowMs),
    request: aRequest(),
    target: {
      model: { name: 'm', aliases: [], members: [] },
      candidates,
      policy,
      totalMs: 1,
      queue: { maxLength: 0, maxWaitMs: 1, comments: false },
      panicRatio: 0.5,
      panic: new PanicWatch(),
      continuation: false,
      fallbacks: () => [],
    },
    requirements: { needs: [], contextTokens: 0, tried: new Set(), panicRatio: 0.5 },
    ranked: () => candidates,
    nowMs,
    queuedMs,
  });
  return { inFlight, candidates, lookAt, decisions: new LatestDecisions(inFlight) };
}

describe('the latest decisions', () => {
  it('tell who gets a request and why', () => {
    const { decisions, lookAt } = aStand();
    decisions.looked(lookAt(5, 12.4));
    expect(decisions.list()).toEqual([
      {
        atMs: 5,
        request_id: 'r5',
        attempt: 1,
        queued_ms: 12,
        explanation: expect.objectContaining({ model: 'm', endpoint: 'completions', winner: 'b0' }),
      },
    ]);
  });

  it('are at most ten of a second, and fifty', () => {
    const { decisions, lookAt } = aStand();
    for (let ms = 0; ms < 1_000; ms++) decisions.looked(lookAt(ms));
    expect(decisions.list().map(({ atMs }) => atMs)).toEqual([9, 8, 7, 6, 5, 4, 3, 2, 1, 0]);
    for (let ms = 1_000; ms < 20_000; ms += 10) decisions.looked(lookAt(ms));
    expect(decisions.list()).toHaveLength(50);
  });

  it('are none while everybody is full', () => {
    const { decisions, lookAt, inFlight, candidates } = aStand();
    for (const { state } of candidates) inFlight.add(state.index, 1);
    decisions.looked(lookAt(0));
    expect(decisions.list()).toEqual([]);
  });

  it('name the first of many candidates only', () => {
    const { decisions, lookAt } = aStand(200);
    decisions.looked(lookAt(0));
    expect(decisions.list()[0]?.explanation.candidates).toHaveLength(16);
  });
});
