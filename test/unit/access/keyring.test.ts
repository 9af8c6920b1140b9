import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { anAuth } from '../../support/a-fleet.ts';
import { createKeyring, matchesGlob, mayUse } from '../../../src/access/keyring.ts';

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

describe('the keyring', () => {
  const keyring = createKeyring(
    anAuth({
      mode: 'keys',
      keys: [
        { tenant: 'a', sha256: sha256('one') },
        { tenant: 'a', sha256: sha256('two'), expiresAtMs: 1_000 },
        { tenant: 'b', sha256: sha256('three'), models: ['llama-*', 'bge'] },
      ],
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
    expect(createKeyring(anAuth()).find(undefined, 0)).toEqual({
      tenant: 'anonymous',
      models: undefined,
    });
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
