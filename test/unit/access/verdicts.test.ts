import { describe, expect, it } from 'vitest';
import { Ledger } from '../../../src/access/ledger.ts';
import type { Cost } from '../../../src/access/limiter.ts';
import type { Rules } from '../../../src/access/rules.ts';
import { createVerdicts, type Degraded } from '../../../src/access/verdicts.ts';
import type { Limits } from '../../../src/fleet/fleet.ts';
import { fakeClock } from '../../support/fake-clock.ts';
import { ofTenant, rulesFor, tokens } from './support.ts';

function setting(rules: Rules) {
  const decisions: string[] = [];
  const ledger = new Ledger(fakeClock());
  const verdicts = createVerdicts({
    headers: 'openai',
    decided: (...decision) => decisions.push(decision.join(' ')),
  });
  const take = (cost: Cost = tokens(0), share = 1) => ledger.take(rules, cost, { share });
  /** Takes until it is refused. */
  const refuse = (cost: Cost = tokens(0), degraded?: Degraded) => {
    for (let n = 0; n < 2_000; n++) {
      const reading = take(cost);
      if (!reading.granted) return verdicts.refusal(rules, cost, reading, degraded);
    }
    throw new Error('never refused');
  };
  return { decisions, verdicts, take, refuse };
}

const refusalOf = (limits: Limits, cost?: Cost) => setting(ofTenant(limits)).refuse(cost);

describe('a refusal', () => {
  it.each([
    [{ requestsPerMinute: 5 }, 12],
    [{ requestsPerMinute: 1 }, 60],
    [{ requestsPerMinute: 7 }, 9],
    [{ requestsPerDay: 25 }, 3_456],
    [{ concurrent: 3 }, 1],
  ])('tells when to come back: %j in %d s', (limits, seconds) => {
    const { details } = refusalOf(limits);
    expect(Math.ceil(details.retryAfterSeconds ?? 0)).toBe(seconds);
    expect(Number(details.headers?.['retry-after-ms'])).toBe((details.retryAfterSeconds ?? 0) * 1_000);
  });

  it('tells the milliseconds as a whole number, and never none', () => {
    expect(refusalOf({ requestsPerMinute: 7 }).details.headers?.['retry-after-ms']).toBe('8572');
    const rules = ofTenant({ requestsPerMinute: 1e12 });
    const reading = { granted: false, used: [1e12], held: [], share: 1 };
    const { details } = setting(rules).verdicts.refusal(rules, tokens(0), reading);
    expect(details.headers?.['retry-after-ms']).toBe('1');
  });

  it('of Redis stands, though the digits it tells would let the request in: the limit with the least room is named', () => {
    const rules = ofTenant({ requestsPerMinute: 600, tokensPerMinute: 1_000, concurrent: 5 });
    const used = rules.rates.map(({ counts }) => (counts === 'requests' ? 599.000001 : 100));
    const { details } = setting(rules).verdicts.refusal(rules, tokens(1), {
      granted: false,
      used,
      held: [1],
      share: 1,
    });
    expect(details.limit).toBe('requests_per_minute');
    expect(details.headers?.['retry-after-ms']).toBe('1');
  });

  it.each([
    [{ requestsPerMinute: 1 }, undefined],
    [{ concurrent: 1 }, undefined],
    [{ requestsPerDay: 1_440 }, undefined],
    [{ requestsPerDay: 1_439 }, 'false'],
    [{ requestsPerDay: 1 }, 'false'],
  ])('keeps the SDKs from coming back in vain beyond a minute: %j %s', (limits, shouldRetry) => {
    expect(refusalOf(limits).details.headers?.['x-should-retry']).toBe(shouldRetry);
  });

  it('is for the limit that keeps it out the longest', () => {
    const limits = { requestsPerMinute: 2, requestsPerDay: 2, tokensPerMinute: 1_000, concurrent: 2 };
    const error = refusalOf(limits);
    expect(error.details.limit).toBe('requests_per_day');
    expect(error.details.retryAfterSeconds).toBe(43_200);
  });

  it('waits for all that is used when it costs more than there ever is', () => {
    const { details } = refusalOf({ tokensPerMinute: 60 }, tokens(90));
    expect(details.retryAfterSeconds).toBe(90);
  });

  it('tells what is left, the request itself not counted', () => {
    const { headers } = refusalOf({ requestsPerMinute: 5, tokensPerMinute: 100 }, tokens(30)).details;
    expect(headers).toMatchObject({
      'x-ratelimit-remaining-requests': '2',
      'x-ratelimit-remaining-tokens': '10',
      'x-ratelimit-reset-tokens': '54s',
    });
  });
});

describe('the words of a refusal', () => {
  const one = { requestsPerMinute: 1 };
  it.each([
    [
      { key: one, keyId: '00ff' },
      'The limit requests_per_minute (1) of this key of tenant "t" is used up. Try again in 60 s.',
    ],
    [{ ofTenant: one }, 'The limit requests_per_minute (1) of tenant "t" is used up. Try again in 60 s.'],
    [
      { modelLimits: { m: one } },
      'The limit requests_per_minute (1) of tenant "t" for the model "m" is used up. Try again in 60 s.',
    ],
    [
      { ofTenant: { requestsPerMinute: 120, burst: { requests: 1 } } },
      'The limit requests_per_minute (120) of tenant "t" is used up. Try again in 1 s.',
    ],
    [
      { ofTenant: { requestsPerDay: 720 } },
      'The limit requests_per_day (720) of tenant "t" is used up. Try again in 2 min.',
    ],
    [
      { ofTenant: { requestsPerDay: 1 } },
      'The limit requests_per_day (1) of tenant "t" is used up. Try again in 24 h.',
    ],
    [
      { ofTenant: { concurrent: 2 } },
      'The limit of 2 concurrent requests of tenant "t" is reached. Try again when one of them has ended.',
    ],
  ])('name the limit, whose it is, and when to come back: %j', (wishes, words) => {
    const { message, code } = setting(rulesFor(wishes)('m')).refuse();
    expect(message).toBe(words);
    expect(code).toBe('rate_limit_exceeded');
  });

  it('never hold anything of the key', () => {
    const { message, details } = setting(rulesFor({ key: one, keyId: '00ff' })('m')).refuse();
    expect(message + JSON.stringify(details)).not.toContain('00ff');
  });
});

describe('a decision', () => {
  const limits = { requestsPerMinute: 1, tokensPerMinute: 10, concurrent: 1 };

  it('is counted for every limit that allows, and for the one that does not', () => {
    const rules = ofTenant(limits);
    const { decisions, verdicts, take } = setting(rules);
    verdicts.granted(rules, take());
    expect(decisions.splice(0)).toEqual([
      't requests_per_minute allowed',
      't tokens_per_minute allowed',
      't concurrent allowed',
    ]);
    verdicts.refusal(rules, tokens(0), take());
    expect(decisions).toEqual(['t requests_per_minute denied']);
  });

  it('without the other replicas says so, in the count and to the caller', () => {
    const rules = ofTenant(limits);
    const { decisions, verdicts, take } = setting(rules);
    const granted = verdicts.granted(rules, take(), 'local');
    expect(granted.degraded).toBe(true);
    expect(granted.headers.at(-1)).toEqual(['x-switchyard-limits', 'degraded; local']);
    const refusal = verdicts.refusal(rules, tokens(0), take(), 'local');
    expect(refusal.details.headers?.['x-switchyard-limits']).toBe('degraded; local');
    expect(decisions.map((one) => one.split(' ')[2])).toEqual([
      'allowed_degraded',
      'allowed_degraded',
      'allowed_degraded',
      'denied_degraded',
    ]);
  });

  it('that nobody can make is none for any limit', () => {
    const rules = ofTenant(limits);
    const { decisions, verdicts } = setting(rules);
    const error = verdicts.unavailable(rules);
    expect(error.code).toBe('limiter_unavailable');
    expect(error.message).toContain('"t"');
    expect(decisions.map((one) => one.split(' ')[2])).toEqual(['unavailable', 'unavailable', 'unavailable']);
  });

  it('exactly made shows nothing of degradation', () => {
    const rules = ofTenant(limits);
    const { verdicts, take } = setting(rules);
    const { degraded, headers } = verdicts.granted(rules, take());
    expect(degraded).toBe(false);
    expect(headers.map(([name]) => name)).not.toContain('x-switchyard-limits');
  });

  it('of a share waits as long as that share takes to come back', () => {
    const rules = ofTenant({ requestsPerMinute: 4 });
    const { verdicts, take } = setting(rules);
    take(tokens(0), 0.25);
    const refused = take(tokens(0), 0.25);
    expect(refused.granted).toBe(false);
    expect(verdicts.refusal(rules, tokens(0), refused, 'local').details.retryAfterSeconds).toBe(60);
  });
});
