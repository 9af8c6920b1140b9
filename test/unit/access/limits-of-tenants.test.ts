// Who has which limits, and how much of each is used, for people who ask.
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { callerOfTenant } from '../../../src/access/caller-of-tenant.ts';
import { createKeyring } from '../../../src/access/keyring.ts';
import { Ledger } from '../../../src/access/ledger.ts';
import { countLimits, limitsOfTenants } from '../../../src/access/limits-of-tenants.ts';
import { aFleet, type FleetWishes } from '../../support/a-fleet.ts';
import { fakeClock } from '../../support/fake-clock.ts';
import { ofTenant, tokens } from './support.ts';

const sha256 = (key: string) => createHash('sha256').update(key).digest('hex');
const wishes = {
  auth: {
    mode: 'keys',
    keys: [
      { tenant: 'b', sha256: sha256('one'), models: ['llama-*'] },
      { tenant: 'a', sha256: sha256('two'), limits: { requestsPerMinute: 60, concurrent: 2 } },
      { tenant: 'b', sha256: sha256('three'), models: ['bge-*'], limits: { tokensPerDay: 9 } },
    ],
    tenants: new Map([
      ['c', { modelLimits: new Map() }],
      ['a', { limits: { concurrent: 5 }, modelLimits: new Map([['m', { requestsPerDay: 3 }]]) }],
    ]),
  },
  models: { m: { limits: { concurrent: 8 } }, n: { limits: { concurrent: 9 } } },
} satisfies FleetWishes;

const shown = (given: FleetWishes) =>
  limitsOfTenants(aFleet(given)).map(({ tenant, limits }) => [
    tenant,
    ...limits.map(({ of, rule }) => `${rule.name} of ${of}: ${rule.limit}`),
  ]);

describe('the limits of every tenant', () => {
  it('are those of its keys by their order, of all of them, and of models', () => {
    expect(shown(wishes)).toEqual([
      ['b', 'tokens_per_day of key 3: 9', 'concurrent of m: 8', 'concurrent of n: 9'],
      [
        'a',
        'requests_per_minute of key 2: 60',
        'concurrent of key 2: 2',
        'concurrent of all keys: 5',
        'requests_per_day of m: 3',
        'concurrent of n: 9',
      ],
      ['c', 'concurrent of m: 8', 'concurrent of n: 9'],
    ]);
    expect(shown({})).toEqual([['anonymous']]);
    expect([countLimits(aFleet(wishes)), countLimits(aFleet({}))]).toEqual([10, 0]);
  });

  it('are the very ones that decide about its requests', () => {
    const fleet = aFleet(wishes);
    const listed = limitsOfTenants(fleet).flatMap(({ limits }) => limits.map(({ rule }) => rule.id));
    for (const key of ['one', 'two', 'three'])
      for (const model of ['m', 'n']) {
        const rules = createKeyring(fleet).find(key, 0)?.rules(model);
        const deciding = [...(rules?.rates ?? []), ...(rules?.leases ?? [])].map(({ id }) => id);
        expect(deciding.length).toBeGreaterThan(0);
        expect(deciding.filter((id) => !listed.includes(id))).toEqual([]);
      }
  });
});

describe('how much of a limit is used', () => {
  it('follows requests as they come and go', () => {
    const clock = fakeClock();
    const ledger = new Ledger(clock);
    const rules = ofTenant({ requestsPerMinute: 60, tokensPerMinute: 600, concurrent: 3 });
    const used = () => [...rules.rates, ...rules.leases].map((rule) => ledger.used(rule));
    expect(used()).toEqual([0, 0, 0]);
    ledger.take(rules, tokens(100, 20));
    ledger.take(rules, tokens(100, 20));
    expect(used()).toEqual([2, 240, 2]);
    clock.advance(1_000);
    expect(used()).toEqual([1, 230, 2]);
    ledger.release(rules);
    expect(used().at(-1)).toBe(1);
  });

  it('is of the whole limit also where a replica applies but its share', () => {
    const clock = fakeClock();
    const ledger = new Ledger(clock);
    const rules = ofTenant({ requestsPerMinute: 60 });
    ledger.mirror(rules, [10], 0.25);
    const [rule] = rules.rates;
    if (rule === undefined) throw new Error('no rule');
    expect(ledger.used(rule)).toBe(40);
    clock.advance(10_000);
    expect(ledger.used(rule)).toBe(30);
  });
});

describe('somebody of a tenant', () => {
  const modelsOf = (tenant: string | undefined) => callerOfTenant(aFleet(wishes), tenant)?.models;

  it('may use what any of its keys may', () => {
    expect(modelsOf('b')).toEqual(['llama-*', 'bge-*']);
    expect([modelsOf('a'), modelsOf('c'), modelsOf(undefined)]).toEqual([undefined, undefined, undefined]);
  });

  it('is nobody where the fleet knows no such tenant', () => {
    expect(callerOfTenant(aFleet(wishes), 'z')).toBeUndefined();
    expect(callerOfTenant(aFleet({}), 'anonymous')?.tenant).toBe('anonymous');
  });
});
