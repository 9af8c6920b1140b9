// What a thread notes and the recorder of another takes over is what the recorder would have remembered by itself.
import { describe, expect, it } from 'vitest';
import { plainCounters } from '../../../src/admission/counters.ts';
import { GatewayError } from '../../../src/errors.ts';
import type { AttemptEnded, ExchangeSettled } from '../../../src/routing/ports.ts';
import { Recorder } from '../../../src/service/report/recorder.ts';
import { NoteTaker } from '../../../src/service/report/request-notes.ts';
import { fakeClock } from '../../support/fake-clock.ts';

const broken = () => new GatewayError('backend_broken', 'broken');

function attempt(backend: string, error?: GatewayError, firstTokenMs?: number): AttemptEnded {
  return {
    requestId: 'r',
    endpoint: 'chat-completions',
    tenant: 'a',
    backend,
    model: 'm',
    attempt: 'first',
    result: error?.row.type ?? 'ok',
    error,
    durationMs: 5,
    firstTokenMs,
    lostTokens: 0,
  };
}

function settled(tenant: string, error?: GatewayError): ExchangeSettled {
  return {
    requestId: 'r',
    endpoint: 'chat-completions',
    tenant,
    model: 'm',
    backend: 'b',
    attempts: 1,
    outcome: error?.row.type ?? 'ok',
    error,
    status: error?.status ?? 200,
    stream: true,
    durationMs: 5,
    queuedMs: 0,
    firstTokenMs: undefined,
    usage: { inputTokens: 3, outputTokens: 7 },
    contentEvents: 7,
    limitsDegraded: false,
  };
}

/** All that people are told of it. */
function remembered(recorder: Recorder, nowMs: number) {
  return {
    tenants: ['a', 'b'].map((tenant) => recorder.traffic.ofTenant(tenant)),
    traffic: recorder.traffic.read({ in_flight: 0, waiting: 0 }),
    failures: recorder.failures.list(),
    backends: ['b', 'c'].map((name) => {
      const { attempts, failed, firstTokens } = recorder.backends.of(name);
      const quantiles = firstTokens.quantiles([0.5], nowMs);
      return { attempts, failed, quantiles, problem: recorder.backends.problemOf(name, nowMs) };
    }),
  };
}

describe('notes of another thread', () => {
  it('say what the recorder would have seen itself', () => {
    const clock = fakeClock();
    const [direct, through] = [new Recorder(clock, plainCounters()), new Recorder(clock, plainCounters())];
    const notes = new NoteTaker(clock, plainCounters());
    const happens = (one: AttemptEnded | ExchangeSettled) => {
      for (const observer of [direct, notes]) {
        if ('attempt' in one) observer.attempted(one);
        else observer.settled(one);
      }
    };
    for (const one of [
      attempt('b', broken()),
      attempt('c', undefined, 40),
      settled('a'),
      attempt('b', undefined, 60),
      attempt('c', broken()),
      settled('b', broken()),
    ]) {
      happens(one);
      clock.advance(1);
    }
    const taken = notes.take();
    if (taken !== undefined) through.take(taken);
    expect(remembered(through, clock.now())).toEqual(remembered(direct, clock.now()));
    expect(remembered(direct, clock.now()).failures).toHaveLength(2);
  });

  it('are taken once', () => {
    const notes = new NoteTaker(fakeClock(), plainCounters());
    expect(notes.take()).toBeUndefined();
    notes.settled(settled('a'));
    expect(notes.take()?.tenants.get('a')).toMatchObject({ requests: 1, output_tokens: 7 });
    expect(notes.take()).toBeUndefined();
  });

  it('can be sent from thread to thread', () => {
    const notes = new NoteTaker(fakeClock(), plainCounters());
    notes.attempted(attempt('b', broken()));
    notes.settled(settled('a', broken()));
    const taken = notes.take();
    expect(structuredClone(taken)).toEqual(taken);
  });
});
