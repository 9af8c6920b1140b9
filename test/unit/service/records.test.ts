// What is remembered for those who ask later: all of it bounded, and forgotten in time.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GatewayError } from '../../../src/errors.ts';
import type { AttemptEnded, ExchangeSettled } from '../../../src/routing/ports.ts';
import { BackendRecords } from '../../../src/service/report/backend-records.ts';
import { FirstTokens } from '../../../src/service/report/first-tokens.ts';
import { LatestFailures } from '../../../src/service/report/latest-failures.ts';
import { Newest } from '../../../src/service/report/newest.ts';
import { Traffic } from '../../../src/service/report/traffic.ts';
import { createWallTime } from '../../../src/service/report/wall-time.ts';
import { fakeClock } from '../../support/fake-clock.ts';

const anAttempt = (fields: Partial<AttemptEnded> = {}): AttemptEnded => ({
  requestId: 'r',
  endpoint: 'chat-completions',
  tenant: 't',
  backend: 'a',
  model: 'm',
  attempt: 'first',
  result: 'ok',
  error: undefined,
  durationMs: 10,
  firstTokenMs: undefined,
  lostTokens: 0,
  ...fields,
});

const settled = (fields: Partial<ExchangeSettled> = {}): ExchangeSettled => ({
  requestId: 'r',
  endpoint: 'chat-completions',
  tenant: 't',
  model: 'm',
  backend: 'a',
  attempts: 1,
  outcome: 'ok',
  error: undefined,
  status: 200,
  stream: false,
  durationMs: 10,
  queuedMs: 0,
  firstTokenMs: undefined,
  usage: { inputTokens: 3, outputTokens: 5 },
  contentEvents: 0,
  limitsDegraded: false,
  ...fields,
});

const asSent = (status: number) => ({ asSent: { status, headers: [], body: Buffer.from('private') } });
const unreachable = new GatewayError('backend_unreachable', 'private', { transportCode: 'ECONNREFUSED' });
const hungUp = new GatewayError('client_closed', 'private');

describe('the newest of many', () => {
  it('are as many as asked for, newest first', () => {
    fc.assert(
      fc.property(fc.array(fc.integer()), fc.integer({ min: 1, max: 9 }), (items, most) => {
        const newest = new Newest<number>(most);
        for (const item of items) newest.add(item);
        expect(newest.list()).toEqual(items.toReversed().slice(0, most));
      }),
    );
  });
});

describe('a time on the wall', () => {
  it('is laid beside the clock once, so that a wall clock which steps moves nothing', () => {
    const clock = fakeClock(500);
    let wallMs = Date.UTC(2030, 0, 1);
    const wallTime = createWallTime(clock, () => wallMs);
    wallMs += 3_600_000;
    clock.advance(1_500);
    expect(wallTime(clock.now())).toBe('2030-01-01T00:00:01.500Z');
    expect(wallTime(500)).toBe('2030-01-01T00:00:00.000Z');
  });
});

describe('traffic', () => {
  const now = { in_flight: 0, waiting: 0 };

  it('has totals, those of each tenant, and what of it failed', () => {
    const traffic = new Traffic(fakeClock());
    traffic.settled(settled());
    traffic.settled(settled({ tenant: 'u', error: unreachable, usage: undefined }));
    for (const code of ['client_closed', 'backend_rejected', 'unauthorized', 'rate_limit_exceeded'] as const)
      traffic.settled(settled({ error: new GatewayError(code, ''), usage: undefined }));
    expect(traffic.read({ in_flight: 2, waiting: 1 })).toMatchObject({
      requests: 6,
      failed: 1,
      input_tokens: 3,
      output_tokens: 5,
      in_flight: 2,
      waiting: 1,
    });
    expect([traffic.ofTenant('u').failed, traffic.ofTenant('t').requests]).toEqual([1, 5]);
    expect(traffic.ofTenant('nobody').requests).toBe(0);
  });

  it('has ten minutes in steps of five seconds, the oldest first, and not the step that is not over', () => {
    const clock = fakeClock();
    const traffic = new Traffic(clock);
    traffic.settled(settled());
    expect(traffic.read(now).history.requests).toEqual(Array.from({ length: 120 }, () => 0));
    clock.advance(5_000);
    expect(traffic.read(now).history.requests.at(-1)).toBe(1);
    clock.advance(5_000);
    traffic.settled(settled());
    traffic.settled(settled());
    clock.advance(5_000);
    const { every_seconds, requests, output_tokens } = traffic.read(now).history;
    expect([every_seconds, requests.slice(-4), output_tokens.slice(-4)]).toEqual([5, [0, 1, 0, 2], [0, 5, 0, 10]]);
    clock.advance(585_000);
    expect(traffic.read(now).history.requests.slice(0, 4)).toEqual([1, 0, 2, 0]);
    clock.advance(5_000);
    expect(traffic.read(now).history.requests.slice(0, 4)).toEqual([0, 2, 0, 0]);
    clock.advance(3_600_000);
    expect(Math.max(...traffic.read(now).history.requests)).toBe(0);
    expect(traffic.read(now).requests).toBe(3);
  });
});

describe('times to the first token', () => {
  it('have their quantiles to within 5 %', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 600_000 }), { minLength: 1, maxLength: 300 }), (times) => {
        const found = new FirstTokens();
        for (const ms of times) found.add(ms, 0);
        const sorted = times.toSorted((a, b) => a - b);
        for (const share of [0.5, 0.95]) {
          const exact = sorted[Math.ceil(share * sorted.length) - 1] ?? 0;
          const [ms] = found.quantiles([share], 0);
          expect(Math.abs((ms ?? 0) - exact)).toBeLessThanOrEqual(exact * 0.05 + 1);
        }
      }),
    );
  });

  it('count for five minutes', () => {
    const found = new FirstTokens();
    expect(found.quantiles([0.5], 0)).toEqual([null]);
    found.add(100, 0);
    found.add(10_000, 200_000);
    expect(found.quantiles([0.5], 200_000)).toEqual([97]);
    expect(found.quantiles([0.5], 300_000)[0]).toBeGreaterThan(9_000);
    expect(found.quantiles([0.5, 0.95], 510_000)).toEqual([null, null]);
    found.add(100, 510_000);
    expect(found.quantiles([0.95], 510_000)).toEqual([97]);
  });
});

describe('the latest failures', () => {
  const kinds = (failures: LatestFailures) => failures.list().map(({ kind, backend, error }) => [kind, backend, error]);

  it('are attempts that others have made good, and requests', () => {
    const failures = new LatestFailures();
    failures.attempted(anAttempt({ error: unreachable }), 1);
    expect(kinds(failures)).toEqual([]);
    failures.attempted(anAttempt({ backend: 'b', attempt: 'retry' }), 2);
    failures.settled(settled({ backend: 'b', attempts: 2 }), 3);
    expect(failures.list()).toEqual([
      {
        atMs: 1,
        request_id: 'r',
        kind: 'attempt',
        endpoint: 'chat-completions',
        tenant: 't',
        model: 'm',
        backend: 'a',
        error: 'backend_unreachable',
        source: 'backend',
        status: 502,
      },
    ]);
  });

  it('tell a failure once, where it is the one that the caller gets', () => {
    const failures = new LatestFailures();
    failures.attempted(anAttempt({ error: unreachable }), 1);
    failures.attempted(anAttempt({ backend: 'b', error: unreachable }), 2);
    failures.settled(settled({ backend: 'b', error: unreachable, status: 502 }), 3);
    expect(kinds(failures)).toEqual([
      ['request', 'b', 'backend_unreachable'],
      ['attempt', 'a', 'backend_unreachable'],
    ]);
  });

  it('tell an attempt whose caller has left, or whose stream was completed all the same', () => {
    for (const error of [hungUp, undefined]) {
      const failures = new LatestFailures();
      failures.attempted(anAttempt({ error: unreachable }), 1);
      failures.settled(settled({ error }), 2);
      expect(kinds(failures)).toEqual([['attempt', 'a', 'backend_unreachable']]);
    }
  });

  it('are not what callers have done themselves', () => {
    const failures = new LatestFailures();
    for (const code of ['client_closed', 'backend_rejected', 'forbidden', 'model_not_found'] as const) {
      const error = new GatewayError(code, 'private');
      failures.attempted(anAttempt({ error }), 1);
      failures.settled(settled({ error }), 1);
    }
    expect(kinds(failures)).toEqual([]);
  });

  it('hold fifty and no words of a message, and nothing of requests that have ended', () => {
    const failures = new LatestFailures();
    for (let n = 0; n < 200; n++) {
      failures.attempted(
        anAttempt({ requestId: `r${n}`, error: new GatewayError('backend_error', 'private', asSent(500)) }),
        n,
      );
      failures.settled(settled({ requestId: `r${n}`, error: unreachable }), n);
    }
    expect([failures.list().length, failures.open]).toEqual([50, 0]);
    expect(failures.list()[0]?.request_id).toBe('r199');
    expect(JSON.stringify(failures.list())).not.toContain('private');
  });
});

describe('what is remembered of a backend', () => {
  it.each([
    ['connection refused', unreachable],
    ['does not speak HTTP', new GatewayError('backend_broken', '', { transportCode: 'HPE_INVALID_CONSTANT' })],
    ['connection broken', new GatewayError('backend_broken', '', { transportCode: 'any text that a backend sent' })],
    ['broken answer', new GatewayError('backend_broken', '')],
    ['connection timed out', new GatewayError('connect_timeout', '')],
    ['did not begin to answer in time', new GatewayError('first_byte_timeout', '')],
    ['fell silent in the middle of an answer', new GatewayError('gap_timeout', '')],
    ['HTTP 500', new GatewayError('backend_error', '', asSent(500))],
    ['HTTP 429', new GatewayError('backend_busy', '', asSent(429))],
    ['HTTP 401: refuses our key', new GatewayError('backend_misconfigured', '', asSent(401))],
    ['error in the middle of an answer', new GatewayError('backend_error', '')],
  ])('is what an attempt has failed of: %s', (problem, error) => {
    const records = new BackendRecords();
    records.attempted(anAttempt({ error }), 0);
    expect(records.problemOf('a', 0)).toBe(problem);
    expect(records.of('a')).toMatchObject({ attempts: 1, failed: 1 });
  });

  it('is over with a good attempt, or after five minutes', () => {
    const records = new BackendRecords();
    records.attempted(anAttempt({ error: unreachable }), 0);
    expect([records.problemOf('a', 299_999), records.problemOf('a', 300_000)]).toEqual(['connection refused', null]);
    records.attempted(anAttempt({ error: hungUp }), 0);
    expect(records.problemOf('a', 0)).toBe('connection refused');
    records.attempted(anAttempt(), 0);
    expect(records.problemOf('a', 0)).toBeNull();
    expect(records.of('a')).toMatchObject({ attempts: 3, failed: 1 });
  });

  it('is what the last probe says, before what attempts say', () => {
    const records = new BackendRecords();
    records.attempted(anAttempt({ error: unreachable }), 0);
    records.probed('a', 'HTTP 503 at /health');
    expect(records.problemOf('a', 0)).toBe('HTTP 503 at /health');
    records.probed('a', undefined);
    expect(records.problemOf('a', 0)).toBe('connection refused');
  });

  it('goes with the backend', () => {
    const records = new BackendRecords();
    records.changed('a', 'drained', 5);
    expect(records.of('a').lastChange).toEqual({ atMs: 5, what: 'drained' });
    records.forget('a');
    expect(records.size).toBe(0);
  });
});

describe('what several threads have noted of a backend', () => {
  const notes = { attempts: 1, failed: 0, firstTokensMs: [] };

  it('tells of its last attempt, whichever is heard of last', () => {
    const records = new BackendRecords();
    records.add('b', { ...notes, failed: 1, problem: { atMs: 200, what: 'HTTP 500' } }, 250);
    records.add('b', { ...notes, problem: { atMs: 100 } }, 260);
    expect(records.problemOf('b', 300)).toBe('HTTP 500');
    records.add('b', { ...notes, problem: { atMs: 270 } }, 280);
    expect(records.problemOf('b', 300)).toBeNull();
    records.add('b', { ...notes, failed: 1, problem: { atMs: 210, what: 'HTTP 502' } }, 290);
    expect(records.problemOf('b', 300)).toBeNull();
  });
});
