// What every limiter promises: in memory for one replica, of one thread or of several, and through each kind of server for several. Here time is the
// machine's own, so windows are a minute and nothing is decided by how fast a test runs; limit-scripts.test.ts has the clock.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import type { Caller } from '../../src/access/keyring.ts';
import type { Ledger } from '../../src/access/ledger.ts';
import { type Cost, createLimiter, type Grant, type LimitLevels, type RateLimiter } from '../../src/access/limiter.ts';
import { rulesOf } from '../../src/access/rules.ts';
import { ledgerMemory, sharedLedger } from '../../src/access/shared-ledger.ts';
import { createVerdicts } from '../../src/access/verdicts.ts';
import { systemClock } from '../../src/clock.ts';
import { GatewayError } from '../../src/errors.ts';
import type { AuthSettings, Limits } from '../../src/fleet/fleet.ts';
import { createSharedLimiter } from '../../src/redis/shared-limiter.ts';
import { aCaller, anAuth } from '../support/a-fleet.ts';
import { settingsFor } from '../support/redis/settings-for.ts';

interface Opened {
  readonly limiter: RateLimiter & LimitLevels;
  readonly close: () => Promise<void>;
}

const verdicts = createVerdicts({ headers: 'openai', decided: () => {} });
const observer = { asked: () => {}, failed: () => {}, changed: () => {} };

const kinds: readonly (readonly [name: string, open: () => Promise<Opened>])[] = [
  ['in memory', () => Promise.resolve(inMemory())],
  [
    'in memory shared by threads',
    () => Promise.resolve(inMemory(sharedLedger(ledgerMemory({ rules: 10, workers: 1 }), { clock: systemClock }))),
  ],
  ...inject('sharedServers').map(({ name, url }) => {
    const open = async () => {
      const settings = settingsFor(url, { prefix: `test:${randomUUID()}:`, onFailure: 'closed' });
      const limiter = createSharedLimiter(settings, { clock: systemClock, verdicts, observer });
      await limiter.start();
      return { limiter, close: () => limiter.stop() };
    };
    return [`through ${name}`, open] as const;
  }),
];

function inMemory(ledger?: Ledger): Opened {
  return { limiter: createLimiter(systemClock, verdicts, ledger), close: () => Promise.resolve() };
}

describe.each(kinds)('limits %s', (_name, open) => {
  let opened: Opened;
  let tenants = 0;
  beforeAll(async () => {
    opened = await open();
  });
  afterAll(() => opened.close());

  /** A key of a tenant nobody has used. */
  function caller(keyLimits: Limits, auth: Partial<AuthSettings> = {}, tenant = `t${tenants++}`, keyId = 'k'): Caller {
    return aCaller({ tenant, rules: rulesOf({ tenant, keyId, keyLimits }, anAuth(auth), new Map()) });
  }
  function take(who: Caller, cost: Cost = tokens(0), model = 'm'): Promise<Grant> {
    return opened.limiter.take({ caller: who, model, cost });
  }
  async function takeMany(count: number, who: Caller, cost?: Cost): Promise<readonly Grant[]> {
    const tried = await Promise.allSettled(Array.from({ length: count }, () => take(who, cost)));
    return tried.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  }
  async function refusal(taken: Promise<Grant>): Promise<GatewayError> {
    const failure: unknown = await taken.then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    if (!(failure instanceof GatewayError)) throw new Error('was granted');
    return failure;
  }
  async function remaining(who: Caller, what: 'requests' | 'tokens'): Promise<number> {
    const grant = await take(who);
    const [, value] = grant.headers.find(([name]) => name === `x-ratelimit-remaining-${what}`) ?? [];
    grant.refund();
    return Number(value);
  }
  const tokens = (inputTokens: number, outputTokens = 0): Cost => ({ inputTokens, outputTokens });

  it('tell how much of each is used', async () => {
    const who = caller({ requestsPerDay: 1_000, tokensPerDay: 100_000, concurrent: 9 });
    const { rates, leases } = who.rules('m');
    const used = () => [...rates, ...leases].map((rule) => Math.round(opened.limiter.used(rule)));
    expect(used()).toEqual([0, 0, 0]);
    const grants = [await take(who, tokens(50_000)), await take(who, tokens(10_000))];
    expect(used()[0]).toBe(2);
    expect(Math.abs((used()[1] ?? 0) - 60_000)).toBeLessThan(1_000);
    expect(used()[2]).toBe(2);
    for (const grant of grants) grant.refund();
    expect(used()[2]).toBe(0);
  });

  it('admit exactly what is allowed, however many ask at once', async () => {
    const who = caller({ requestsPerMinute: 20 });
    expect(await takeMany(100, who)).toHaveLength(20);
  });

  it('tell which limit it was, whose, and when to come back', async () => {
    const who = caller({ requestsPerMinute: 2 });
    await takeMany(2, who);
    const failure = await refusal(take(who));
    expect(failure.code).toBe('rate_limit_exceeded');
    expect(failure.message).toMatch(
      new RegExp(
        `^The limit requests_per_minute \\(2\\) of this key of tenant "${who.tenant}" is used up. Try again in \\d+ s.$`,
      ),
    );
    expect(failure.details.retryAfterSeconds).toBeGreaterThan(25);
    expect(failure.details.retryAfterSeconds).toBeLessThanOrEqual(30);
  });

  it('cost a refused request nothing under any of the limits', async () => {
    const who = caller({ requestsPerMinute: 100, tokensPerMinute: 100, concurrent: 1 });
    const held = await take(who, tokens(50));
    await expect(takeMany(50, who, tokens(1))).resolves.toHaveLength(0);
    held.settle(tokens(50));
    await vi.waitFor(async () => expect(await takeMany(1, who, tokens(50))).toHaveLength(1));
  });

  it('give back what was reserved too much, once', async () => {
    const who = caller({ tokensPerMinute: 100_000 });
    const grant = await take(who, tokens(10_000, 4_000));
    grant.settle(tokens(9_000, 1_000));
    grant.settle(tokens(0));
    grant.refund();
    await vi.waitFor(async () => expect(await remaining(who, 'tokens')).toBeGreaterThanOrEqual(90_000));
    expect(await remaining(who, 'tokens')).toBeLessThan(91_000);
  });

  it('charge at the end what was reserved too little', async () => {
    const who = caller({ tokensPerMinute: 100_000 });
    (await take(who, tokens(100))).settle(tokens(100, 60_000));
    await vi.waitFor(async () => expect(await remaining(who, 'tokens')).toBeLessThan(41_000));
  });

  it('give all of it back when no backend has answered', async () => {
    const who = caller({ requestsPerMinute: 5, tokensPerMinute: 1_000, concurrent: 1 });
    for (let n = 0; n < 20; n++) {
      const grant = await vi.waitFor(() => take(who, tokens(1_000)));
      grant.refund();
      grant.settle(tokens(1_000));
    }
    await vi.waitFor(async () => expect(await remaining(who, 'requests')).toBe(4));
  });

  it('cap the output that is reserved', async () => {
    const who = caller({ outputTokensPerMinute: 10_000 }, { maxReservedOutputTokens: 300 });
    expect(await takeMany(34, who, tokens(0, 128_000))).toHaveLength(33);
  });

  it('hold no more requests at once than allowed, and let the next one in when one has ended', async () => {
    const who = caller({ concurrent: 3 });
    const [first] = await takeMany(10, who);
    expect(await takeMany(5, who)).toHaveLength(0);
    first?.settle(tokens(0));
    const [another] = await vi.waitFor(async () => {
      const grants = await takeMany(1, who);
      expect(grants).toHaveLength(1);
      return grants;
    });
    expect(await takeMany(5, who)).toHaveLength(0);
    another?.refund();
  });

  it('are one for all keys of a tenant, one for each key, and one for each model', async () => {
    const tenant = `t${tenants++}`;
    const shared = {
      tenants: new Map([
        [tenant, { limits: { requestsPerMinute: 7 }, modelLimits: new Map([['small', { requestsPerMinute: 2 }]]) }],
      ]),
    };
    const [a, b] = [caller({ requestsPerMinute: 4 }, shared, tenant, 'a'), caller({}, shared, tenant, 'b')];
    const onSmall = await Promise.allSettled([1, 2, 3].map(() => take(a, tokens(0), 'small')));
    expect(onSmall.filter(({ status }) => status === 'fulfilled')).toHaveLength(2);
    expect(await takeMany(5, a)).toHaveLength(2);
    expect(await takeMany(9, b)).toHaveLength(3);
  });

  it('admit what is larger than the bucket when the bucket is full, and nothing after it', async () => {
    const who = caller({ tokensPerMinute: 100 });
    expect(await takeMany(1, who, tokens(10_000))).toHaveLength(1);
    const failure = await refusal(take(who, tokens(1)));
    expect(failure.details.retryAfterSeconds).toBeGreaterThan(5_000);
    expect(failure.details.headers).toMatchObject({ 'x-should-retry': 'false' });
  });

  it('hold as much as `burst` says, and no more', async () => {
    const who = caller({ requestsPerMinute: 60, burst: { requests: 3 } });
    expect(await takeMany(10, who)).toHaveLength(3);
  });

  it('ask nothing of a caller without limits', async () => {
    const grant = await take(caller({}));
    expect([grant.headers, grant.countsTokens]).toEqual([[], false]);
  });
});
