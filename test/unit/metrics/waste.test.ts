import { describe, expect, it } from 'vitest';
import { wasteOfAttempt, wasteOfExchange } from '../../../src/metrics/waste.ts';
import type { ExchangeSettled } from '../../../src/routing/ports.ts';

function settled(more: Partial<ExchangeSettled>): ExchangeSettled {
  return {
    requestId: 'id',
    endpoint: 'chat-completions',
    tenant: 't',
    model: 'm',
    backend: 'b',
    attempts: 1,
    outcome: 'ok',
    error: undefined,
    status: 200,
    stream: true,
    durationMs: 1,
    queuedMs: 0,
    firstTokenMs: undefined,
    usage: undefined,
    contentEvents: 5,
    limitsDegraded: false,
    ...more,
  };
}

describe('the waste of an exchange', () => {
  it('is nothing where it went well, or no backend had begun', () => {
    expect(wasteOfExchange(settled({}))).toBeUndefined();
    expect(wasteOfExchange(settled({ outcome: 'client_closed', backend: undefined }))).toBeUndefined();
    expect(wasteOfExchange(settled({ outcome: 'backend_timeout', contentEvents: 0 }))).toBeUndefined();
  });

  it('is what was told where that is more than was counted, else what was counted', () => {
    const usage = { inputTokens: 100, outputTokens: 9 };
    const left = { backend: 'b', model: 'm', reason: 'caller_left' };
    expect(wasteOfExchange(settled({ outcome: 'client_closed', usage }))).toEqual({ ...left, tokens: 9 });
    expect(wasteOfExchange(settled({ outcome: 'client_closed', usage: { ...usage, outputTokens: 0 } }))).toEqual({
      ...left,
      tokens: 5,
    });
  });

  it.each(['backend_broken', 'backend_timeout', 'backend_error', 'draining'] as const)(
    'is the content of a stream that ended as %s',
    (outcome) => {
      expect(wasteOfExchange(settled({ outcome }))).toMatchObject({ reason: 'broken_stream', tokens: 5 });
    },
  );
});

describe('the waste of an attempt', () => {
  it('is what had come before it failed', () => {
    const event = {
      requestId: 'r',
      endpoint: 'completions',
      tenant: 't',
      backend: 'b',
      model: 'm',
      attempt: 'first',
      result: 'backend_broken',
      error: undefined,
      durationMs: 1,
      firstTokenMs: undefined,
    } as const;
    expect(wasteOfAttempt({ ...event, lostTokens: 17 })).toEqual({
      backend: 'b',
      model: 'm',
      reason: 'retry_replay',
      tokens: 17,
    });
  });
});
