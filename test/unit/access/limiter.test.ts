import { describe, expect, it } from 'vitest';
import { createLimiter, type Cost, reservation } from '../../../src/access/limiter.ts';
import { createVerdicts } from '../../../src/access/verdicts.ts';
import { GatewayError } from '../../../src/errors.ts';
import { aCaller } from '../../support/a-fleet.ts';
import { fakeClock } from '../../support/fake-clock.ts';
import { type LimitWishes, rulesFor, tokens } from './support.ts';

/** One limiter for any number of callers. */
function setting() {
  const clock = fakeClock();
  const limiter = createLimiter(clock, createVerdicts({ headers: 'openai', decided: () => {} }));
  const caller = (wishes: LimitWishes) => {
    const who = aCaller({ tenant: wishes.tenant ?? 't', rules: rulesFor(wishes) });
    const take = (cost: Cost = tokens(0), model = 'm') => limiter.take({ caller: who, model, cost });
    /** The name of the limit that refuses, or `granted`. */
    const outcome = (cost?: Cost, model?: string) =>
      take(cost, model).then(
        () => 'granted',
        (error: GatewayError) => error.details.limit,
      );
    /** What is left of the tokens, as the next answer will tell it. */
    const left = async (model?: string) => {
      const grant = await take(tokens(0), model);
      grant.refund();
      return Number(new Map(grant.headers).get('x-ratelimit-remaining-tokens'));
    };
    return { take, outcome, left };
  };
  return { clock, caller };
}

describe('a caller without limits', () => {
  it('always gets the same grant, which tells nothing and ends nothing', async () => {
    const { take } = setting().caller({ models: { other: { concurrent: 1 } } });
    const grant = await take(tokens(1e9));
    expect(grant).toBe(await take(tokens(1e9)));
    expect(grant).toMatchObject({ headers: [], countsTokens: false, degraded: false });
    grant.settle(tokens(1e9));
    grant.refund();
  });
});

describe('a request beyond a limit', () => {
  it.each([
    ['requests_per_minute', { requestsPerMinute: 1 }],
    ['tokens_per_minute', { tokensPerMinute: 7 }],
    ['input_tokens_per_minute', { inputTokensPerMinute: 5 }],
    ['output_tokens_per_minute', { outputTokensPerMinute: 2 }],
    ['requests_per_day', { requestsPerDay: 1 }],
    ['tokens_per_day', { tokensPerDay: 7 }],
    ['concurrent', { concurrent: 1 }],
  ])('is refused with the name of the limit: %s', async (name, limits) => {
    for (const scope of ['key', 'ofTenant'] as const) {
      const { take } = setting().caller({ [scope]: limits });
      await take(tokens(4, 2));
      const refusal = take(tokens(4, 2));
      await expect(refusal).rejects.toBeInstanceOf(GatewayError);
      await expect(refusal).rejects.toMatchObject({ code: 'rate_limit_exceeded', details: { limit: name } });
    }
  });

  it('is granted after the time it was told, to the millisecond', async () => {
    const { clock, caller } = setting();
    const { take, outcome } = caller({ ofTenant: { requestsPerMinute: 7, tokensPerMinute: 100 } });
    await take(tokens(90));
    const error: unknown = await take(tokens(40)).catch((refusal: unknown) => refusal);
    if (!(error instanceof GatewayError)) throw new Error('not refused');
    expect(error.details).toMatchObject({ retryAfterSeconds: 18, headers: { 'retry-after-ms': '18000' } });
    clock.advance(17_999);
    expect(await outcome(tokens(40))).toBe('tokens_per_minute');
    clock.advance(1);
    expect(await outcome(tokens(40))).toBe('granted');
  });
});

describe('callers', () => {
  const shared = { ofTenant: { requestsPerMinute: 3 }, key: { requestsPerMinute: 2 } };

  it('with two keys of a tenant share what is the tenant’s, and each has what is its own', async () => {
    const { caller } = setting();
    const one = caller({ ...shared, keyId: '1' });
    const two = caller({ ...shared, keyId: '2' });
    expect([await one.outcome(), await one.outcome(), await one.outcome()]).toEqual([
      'granted',
      'granted',
      'requests_per_minute',
    ]);
    expect([await two.outcome(), await two.outcome()]).toEqual(['granted', 'requests_per_minute']);
  });

  it('of two tenants share nothing, not even what belongs to a model', async () => {
    const { caller } = setting();
    const wishes = { ...shared, models: { m: { requestsPerMinute: 1 } } };
    expect(await caller({ ...wishes, tenant: 'a' }).outcome()).toBe('granted');
    expect(await caller({ ...wishes, tenant: 'b' }).outcome()).toBe('granted');
    expect(await caller({ ...wishes, tenant: 'b' }).outcome()).toBe('requests_per_minute');
  });

  it('who have used up one model go on with the others', async () => {
    const { outcome } = setting().caller({ modelLimits: { m: { requestsPerMinute: 1 }, n: { requestsPerMinute: 2 } } });
    const asked = ['m', 'm', 'n', 'n', 'n', 'free', 'free'];
    const outcomes: unknown[] = [];
    for (const model of asked) outcomes.push(await outcome(tokens(0), model));
    const [yes, no] = ['granted', 'requests_per_minute'];
    expect(outcomes).toEqual([yes, no, yes, yes, no, yes, yes]);
  });
});

describe('a grant', () => {
  const limits = { ofTenant: { tokensPerDay: 1_000, requestsPerMinute: 2, concurrent: 2 } };

  it('is settled with what it really cost, whether that was less or more', async () => {
    const { take, left } = setting().caller(limits);
    const less = await take(tokens(100, 500));
    expect(new Map(less.headers).get('x-ratelimit-remaining-tokens')).toBe('400');
    less.settle(tokens(90, 10));
    expect(await left()).toBe(900);
    (await take(tokens(100, 500))).settle(tokens(110, 700));
    expect(await left().catch((error: unknown) => error)).toMatchObject({ code: 'rate_limit_exceeded' });
  });

  it('is settled once', async () => {
    const { take, left } = setting().caller(limits);
    const grant = await take(tokens(100, 100));
    grant.settle(tokens(100, 50));
    grant.settle(tokens(1, 1));
    grant.refund();
    expect(await left()).toBe(850);
  });

  it('is refunded once', async () => {
    const { take, left, outcome } = setting().caller({ ofTenant: { tokensPerDay: 1_000, concurrent: 1 } });
    const grant = await take(tokens(100, 100));
    grant.refund();
    expect(await outcome(tokens(300))).toBe('granted');
    // The place is somebody else's now.
    grant.refund();
    grant.settle(tokens(900));
    expect(await outcome()).toBe('concurrent');
    expect(await left().catch((error: unknown) => error)).toMatchObject({ details: { limit: 'concurrent' } });
  });

  it('that is refunded has cost nothing at all: no tokens, no request, no place', async () => {
    const wishes = {
      key: { requestsPerMinute: 1, concurrent: 1 },
      ofTenant: { tokensPerDay: 10, requestsPerDay: 1, concurrent: 1 },
      modelLimits: { m: { outputTokensPerMinute: 5, requestsPerMinute: 1 } },
    };
    const { take } = setting().caller(wishes);
    const first = await take(tokens(5, 5));
    for (let n = 0; n < 20; n++) {
      first.refund();
      const again = await take(tokens(5, 5));
      expect(again.headers).toEqual(first.headers);
      again.refund();
    }
  });

  it('that is settled with no tokens still counts as a request', async () => {
    const { take, left, outcome } = setting().caller({ ofTenant: { tokensPerDay: 1_000, requestsPerMinute: 1 } });
    (await take(tokens(100, 100))).settle(tokens(0));
    expect(await outcome()).toBe('requests_per_minute');
    await expect(left()).rejects.toBeInstanceOf(GatewayError);
  });

  it('says whether its stream must tell its tokens', async () => {
    const { take } = setting().caller({ modelLimits: { m: { requestsPerMinute: 1 }, n: { tokensPerDay: 1 } } });
    expect([(await take()).countsTokens, (await take(tokens(0), 'n')).countsTokens]).toEqual([false, true]);
  });
});

describe('what is reserved', () => {
  it('is capped for the output only, because most answers end long before their bound', () => {
    const rules = rulesFor({ ofTenant: { tokensPerDay: 1 }, maxReservedOutputTokens: 300 })('m');
    expect(reservation(rules, tokens(900, 200))).toEqual(tokens(900, 200));
    expect(reservation(rules, tokens(900, 1e12))).toEqual(tokens(900, 300));
  });

  it('is what a refund gives back, not what was asked for', async () => {
    const { caller } = setting();
    const { take, left } = caller({ ofTenant: { tokensPerDay: 1_000 }, maxReservedOutputTokens: 300 });
    const running = await take(tokens(400));
    const bounded = await take(tokens(100, 1e12));
    expect(new Map(bounded.headers).get('x-ratelimit-remaining-tokens')).toBe('200');
    bounded.refund();
    expect(await left()).toBe(600);
    running.settle(tokens(400));
    expect(await left()).toBe(600);
  });
});
