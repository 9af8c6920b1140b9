import { describe, expect, it } from 'vitest';
import type { Served } from '../../../src/fleet/in-flight-limit.ts';
import { GatewayError } from '../../../src/errors.ts';
import { Continuation } from '../../../src/routing/continuation.ts';
import { Exchange } from '../../../src/routing/exchange.ts';
import { noCharge } from '../../../src/selection/placement/charge.ts';
import { teachLimit } from '../../../src/routing/teach-limit.ts';
import { aRequest } from '../../support/a-request.ts';
import { aCaller } from '../../support/a-fleet.ts';
import { aCandidate } from '../../support/candidates.ts';

/** What a box learns that has answered from 1000 to 3000. */
function learntFrom(exchange: Exchange): readonly Served[] {
  const learnt: Served[] = [];
  const candidate = aCandidate({ maxInFlight: 'auto' });
  const limit = { value: 4, learn: (served: Served) => void learnt.push(served), refused: () => {} };
  const slot = {
    candidate: { ...candidate, state: { ...candidate.state, limit } },
    ticket: { epoch: 0, trial: false },
    inFlight: 1,
    charge: noCharge,
    release: () => {},
  };
  teachLimit(exchange, slot, { startedMs: 1_000, failure: undefined }, 3_000);
  return learnt;
}

describe('a learnt limit', () => {
  it('is taught by an answer how long it took to begin', () => {
    const exchange = new Exchange('id', 'chat-completions', aCaller(), 0);
    exchange.firstTokenAtMs = 1_200;
    expect(learntFrom(exchange)).toMatchObject([{ firstTokenMs: 200, totalMs: 2_000 }]);
  });

  it('is taught nothing by the rest of a stream that another box has begun', () => {
    const exchange = new Exchange('id', 'chat-completions', aCaller(), 0);
    exchange.firstTokenAtMs = 400;
    const continuation = new Continuation(aRequest({ stream: true }));
    continuation.break(new GatewayError('backend_broken', 'gone'));
    continuation.resume();
    exchange.continuation = continuation;
    expect(learntFrom(exchange)).toEqual([]);
  });
});
