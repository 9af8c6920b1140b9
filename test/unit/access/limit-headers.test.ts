import { describe, expect, it } from 'vitest';
import { Ledger } from '../../../src/access/ledger.ts';
import { goDuration, type HeaderStyle, limitHeaders } from '../../../src/access/limit-headers.ts';
import type { Cost } from '../../../src/access/limiter.ts';
import type { Rules } from '../../../src/access/rules.ts';
import { fakeClock } from '../../support/fake-clock.ts';
import { ofTenant, rulesFor, tokens } from './support.ts';

/** The headers after one request. */
function after(rules: Rules, cost: Cost = tokens(0), style: HeaderStyle = 'openai') {
  const headers = limitHeaders(rules, new Ledger(fakeClock()).take(rules, cost), style);
  expect(new Set(headers.map(([name]) => name)).size).toBe(headers.length);
  return Object.fromEntries(headers);
}

describe('a duration as Go writes it', () => {
  it.each([
    [0, '0s'],
    [0.000_01, '0s'],
    [3_600_000.000_000_000_5, '1h0m0s'],
    [0.1, '1ms'],
    [12, '12ms'],
    [999.2, '1s'],
    [1_000, '1s'],
    [1_500, '1.5s'],
    [12_345.678, '12.346s'],
    [59_999, '59.999s'],
    [60_000, '1m0s'],
    [360_000, '6m0s'],
    [61_001, '1m1.001s'],
    [3_599_999, '59m59.999s'],
    [3_600_000, '1h0m0s'],
    [86_340_000, '23h59m0s'],
    [86_400_000, '24h0m0s'],
    [360_000_000, '100h0m0s'],
  ])('%d ms is %s', (ms, text) => {
    expect(goDuration(ms)).toBe(text);
  });
});

describe('the headers of OpenAI', () => {
  it('tell limit, what is left, and when all of it is back, for requests and for tokens', () => {
    expect(after(ofTenant({ requestsPerMinute: 60, tokensPerMinute: 6_000 }), tokens(500, 100))).toEqual({
      'x-ratelimit-limit-requests': '60',
      'x-ratelimit-remaining-requests': '59',
      'x-ratelimit-reset-requests': '1s',
      'x-ratelimit-limit-tokens': '6000',
      'x-ratelimit-remaining-tokens': '5400',
      'x-ratelimit-reset-tokens': '6s',
    });
  });

  it('tell only of what is limited', () => {
    expect(Object.keys(after(ofTenant({ requestsPerDay: 2 })))).toHaveLength(3);
    expect(Object.keys(after(ofTenant({ outputTokensPerMinute: 2 })))).toHaveLength(3);
    expect(after(ofTenant({ concurrent: 2 }))).toEqual({});
  });

  it('tell of the limit that has the least left', () => {
    const limits = { requestsPerMinute: 10, requestsPerDay: 5, tokensPerMinute: 900, outputTokensPerMinute: 300 };
    const rules = rulesFor({ key: { requestsPerMinute: 7 }, keyId: 'k', ofTenant: limits })('m');
    expect(after(rules, tokens(10, 250))).toMatchObject({
      'x-ratelimit-limit-requests': '5',
      'x-ratelimit-remaining-requests': '4',
      'x-ratelimit-limit-tokens': '300',
      'x-ratelimit-remaining-tokens': '50',
    });
    // What is used decides, not the size of the limit.
    expect(after(rules, tokens(800, 10))).toMatchObject({
      'x-ratelimit-limit-tokens': '900',
      'x-ratelimit-remaining-tokens': '90',
    });
  });

  it('tell of the configured limit also where a burst bounds what is left', () => {
    expect(after(ofTenant({ requestsPerMinute: 120, burst: { requests: 3 } }))).toEqual({
      'x-ratelimit-limit-requests': '120',
      'x-ratelimit-remaining-requests': '2',
      'x-ratelimit-reset-requests': '500ms',
    });
  });

  it('tell of nothing left while there is a debt, and when all of it is back', () => {
    expect(after(ofTenant({ tokensPerMinute: 60 }), tokens(90))).toMatchObject({
      'x-ratelimit-remaining-tokens': '0',
      'x-ratelimit-reset-tokens': '1m30s',
    });
  });

  it('tell whole numbers', () => {
    const clock = fakeClock();
    const ledger = new Ledger(clock);
    const rules = ofTenant({ requestsPerMinute: 7 });
    ledger.take(rules, tokens(0));
    for (let n = 0; n < 30; n++) {
      clock.advance(8_123.456);
      const headers = new Map(limitHeaders(rules, ledger.take(rules, tokens(0)), 'openai'));
      expect(headers.get('x-ratelimit-remaining-requests')).toMatch(/^[0-6]$/);
      expect(headers.get('x-ratelimit-reset-requests')).toMatch(/^\d+(\.\d{1,3})?s$/);
    }
  });
});

describe('the headers of the IETF', () => {
  const rules = rulesFor({
    key: { requestsPerMinute: 60 },
    keyId: 'k',
    ofTenant: { requestsPerDay: 100, concurrent: 4 },
    modelLimits: { m: { tokensPerMinute: 6_000 } },
  })('m');

  it('tell of every limit: its policy, and how it stands', () => {
    expect(after(rules, tokens(500, 100), 'ietf')).toEqual({
      'ratelimit-policy':
        '"key.requests_per_minute";q=60;w=60, "tenant.requests_per_day";q=100;w=86400, ' +
        '"model.tokens_per_minute";q=6000;w=60;qu="tokens", "tenant.concurrent";q=4;qu="concurrent-requests"',
      ratelimit:
        '"key.requests_per_minute";r=59;t=1, "tenant.requests_per_day";r=99;t=864, ' +
        '"model.tokens_per_minute";r=5400;t=6, "tenant.concurrent";r=3',
    });
  });

  it('are lists of strings with parameters, as structured fields are written (RFC 9651)', () => {
    const item = /^"[a-z._]+"(;[a-z]+=(\d{1,15}|"[a-z-]+"))+$/;
    for (const value of Object.values(after(rules, tokens(7, 7), 'ietf')))
      for (const one of value.split(', ')) expect(one).toMatch(item);
  });

  it('come alone or beside the others, as the fleet file says', () => {
    const ietf = after(rules, tokens(1), 'ietf');
    const openai = after(rules, tokens(1), 'openai');
    expect(after(rules, tokens(1), 'both')).toEqual({ ...openai, ...ietf });
    expect(Object.keys(openai).every((name) => name.startsWith('x-ratelimit-'))).toBe(true);
  });

  it('are none where nothing is limited', () => {
    expect(after(rulesFor({})('m'), tokens(1), 'both')).toEqual({});
  });

  it('never tell of less than nothing', () => {
    const reading = { granted: false, used: [70, 100, 9_000], held: [9], share: 0.5 };
    const headers = new Map(limitHeaders(rules, reading, 'ietf'));
    expect(headers.get('ratelimit')?.match(/r=\d+/g)).toEqual(['r=0', 'r=0', 'r=0', 'r=0']);
  });
});
