import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createKeyring, matchesGlob, mayUse } from '../../../src/access/keyring.ts';
import type { Rules } from '../../../src/access/rules.ts';
import { aFleet } from '../../support/a-fleet.ts';

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

describe('the keyring', () => {
  const keyring = createKeyring(
    aFleet({
      auth: {
        mode: 'keys',
        keys: [
          { tenant: 'a', sha256: sha256('one') },
          { tenant: 'a', sha256: sha256('two'), expiresAtMs: 1_000 },
          { tenant: 'b', sha256: sha256('three'), models: ['llama-*', 'bge'] },
        ],
      },
    }),
  );

  it('finds the caller behind a key, several keys to a tenant', () => {
    expect([keyring.find('one', 0)?.tenant, keyring.find('two', 0)?.tenant, keyring.find('three', 0)?.tenant]).toEqual([
      'a',
      'a',
      'b',
    ]);
  });

  it('finds nobody behind what is no key', () => {
    for (const credential of [undefined, '', 'on', 'one ', 'ONE', sha256('one')])
      expect(keyring.find(credential, 0)).toBeUndefined();
  });

  it('lets a key go when its time is over', () => {
    expect(keyring.find('two', 999)?.tenant).toBe('a');
    expect(keyring.find('two', 1_000)).toBeUndefined();
  });

  it('knows which models a key is for', () => {
    const caller = keyring.find('three', 0);
    if (caller === undefined) throw new Error('no caller');
    expect(['llama-3', 'llama-', 'bge', 'bge-2', 'x-llama-3'].filter((model) => mayUse(caller, model))).toEqual([
      'llama-3',
      'llama-',
      'bge',
    ]);
  });

  it('without authentication is open to everybody', () => {
    expect(createKeyring(aFleet()).find(undefined, 0)).toMatchObject({
      tenant: 'anonymous',
      models: undefined,
    });
  });
});

describe('the limits of a caller', () => {
  const ofTenant = { limits: { requestsPerMinute: 2 }, modelLimits: new Map([['m', { requestsPerMinute: 3 }]]) };
  const keyring = createKeyring(
    aFleet({
      auth: {
        mode: 'keys',
        keys: [
          { tenant: 'a', sha256: sha256('one'), limits: { requestsPerMinute: 1 } },
          { tenant: 'a', sha256: sha256('two') },
          { tenant: 'b', sha256: sha256('three') },
        ],
        tenants: new Map([['a', ofTenant]]),
        maxReservedOutputTokens: 77,
      },
      models: { m: { limits: { requestsPerMinute: 4 } } },
    }),
  );
  const of = (key: string, model = 'm'): Rules => {
    const caller = keyring.find(key, 0);
    if (caller === undefined) throw new Error('no caller');
    return caller.rules(model);
  };
  const limitsOf = ({ rates }: Rules) => rates.map(({ scope, limit }) => `${scope} ${limit}`);

  it('are those of its key, its tenant and the model', () => {
    expect(limitsOf(of('one'))).toEqual(['key 1', 'tenant 2', 'model 3']);
    expect(limitsOf(of('two'))).toEqual(['tenant 2', 'model 3']);
    expect(limitsOf(of('three'))).toEqual(['model 4']);
    expect(limitsOf(of('one', 'other'))).toEqual(['key 1', 'tenant 2']);
    expect(limitsOf(of('three', 'other'))).toEqual([]);
  });

  it('bear its tenant’s name, and the bound of what is reserved', () => {
    expect(of('three')).toMatchObject({ tenant: 'b', maxReservedOutputTokens: 77 });
  });

  it('are the same each time it comes', () => {
    expect(of('one')).toBe(of('one'));
  });

  it('name no more of a key than tells it from others', () => {
    const ids = of('one').rates.map(({ id }) => id);
    expect(ids.join()).toContain(sha256('one').slice(0, 16));
    expect(ids.join()).not.toContain(sha256('one').slice(0, 17));
  });

  it('are those of the tenant "anonymous" without authentication', () => {
    const open = createKeyring(aFleet({ auth: { tenants: new Map([['anonymous', ofTenant]]) } }));
    const rules = open.find(undefined, 0)?.rules('m');
    expect(rules?.tenant).toBe('anonymous');
    expect(rules === undefined ? [] : limitsOf(rules)).toEqual(['tenant 2', 'model 3']);
  });
});

describe('a glob', () => {
  it.each([
    ['a.b(c)*', 'a.b(c)d/e\nf', true],
    ['a.b', 'axb', false],
    ['**', 'anything', true],
    ['*', '', true],
    ['a*', 'ba', false],
    ['*a*b', 'xaxbxb', true],
    ['*a*b', 'xaxbxc', false],
    ['', '', true],
    ['', 'a', false],
  ])('%s on %j is %s', (glob, name, matches) => {
    expect(matchesGlob(glob, name)).toBe(matches);
  });

  it('takes no long time over a name made to take long', () => {
    expect(matchesGlob('*-*-*-*-*-*-*-*x', '-'.repeat(512))).toBe(false);
  });
});
