// What answers teach the learnt limit of a backend, and what they can't.
import { describe, expect, it } from 'vitest';
import { createSlots } from '../../../src/admission/slots.ts';
import { plainCounters } from '../../../src/admission/counters.ts';
import type { Served } from '../../../src/fleet/in-flight-limit.ts';
import { Exchange } from '../../../src/routing/exchange.ts';
import { teachLimit } from '../../../src/routing/teach-limit.ts';
import { aCaller } from '../../support/a-fleet.ts';
import { aCandidate } from '../../support/candidates.ts';

/** What the limit is told of an answer that was asked for at 1000 and ended at 3000. */
function taught(firstTokenAtMs: number | undefined): readonly Served[] {
  const learnt: Served[] = [];
  const candidate = aCandidate({ maxInFlight: 'auto' });
  const limit = { value: 4, learn: (served: Served) => void learnt.push(served), refused: () => {} };
  const state = { ...candidate.state, limit };
  const slot = createSlots(plainCounters()).claim([{ ...candidate, state }], 1_000);
  if (slot === undefined) throw new Error('no slot');
  const exchange = new Exchange('id', 'chat-completions', aCaller(), 0);
  exchange.firstTokenAtMs = firstTokenAtMs;
  teachLimit(exchange, slot, { startedMs: 1_000, failure: undefined }, 3_000);
  return learnt;
}

describe('a learnt limit', () => {
  it('is told when an answer has begun, and that nobody saw when a plain one did', () => {
    expect(taught(1_200)).toMatchObject([{ firstTokenMs: 200, totalMs: 2_000, inFlight: 1 }]);
    expect(taught(undefined)).toMatchObject([{ firstTokenMs: undefined, totalMs: 2_000 }]);
  });

  it('is told nothing of a stream that another backend had begun', () => {
    expect(taught(400)).toEqual([]);
  });
});
