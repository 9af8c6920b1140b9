// Keys and tokens: where they come from, and that they go nowhere else.
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { fleetWith, load, said, valid } from './support.ts';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const keys = (...entries: readonly string[]): string =>
  fleetWith(`auth:\n  keys:\n${entries.map((entry) => `    - ${entry}\n`).join('')}`);

describe('keys', () => {
  it('are kept as hashes, from the file, from a file of their own and from the environment', () => {
    const { fleet, warnings } = valid(
      keys(
        '{ tenant: a, key: "${A}", models: ["x-*"], expires: 2027-06-30 }',
        '{ tenant: b, key_file: b.key }',
        `{ tenant: c, key_sha256: ${sha256('c').toUpperCase()} }`,
      ),
      { env: { A: 'ka', API_KEYS: ' k1 ,, k2,k1' }, files: { 'b.key': 'kb\n' } },
    );
    expect(warnings).toEqual([]);
    expect(fleet.auth).toEqual({
      mode: 'keys',
      keys: [
        { tenant: 'a', sha256: sha256('ka'), models: ['x-*'], expiresAtMs: Date.UTC(2027, 6, 1) },
        { tenant: 'b', sha256: sha256('kb') },
        { tenant: 'c', sha256: sha256('c') },
        { tenant: 'default', sha256: sha256('k1') },
        { tenant: 'default', sha256: sha256('k2') },
      ],
      tenants: new Map(),
      maxReservedOutputTokens: 4_096,
    });
  });

  it.each([
    [
      keys('{ tenant: a }'),
      ['fleet.yaml:6:7: error: a key without a key at auth.keys[0] (give one of key, key_file, key_sha256)'],
    ],
    [
      keys('{ tenant: a, key: "${K}", key_file: f }'),
      ['fleet.yaml:6:7: error: key and key_file exclude each other at auth.keys[0] (give one of them)'],
    ],
    [keys('{ key: "${K}" }'), ['fleet.yaml:6:7: error: required at auth.keys[0].tenant']],
    [
      keys('{ tenant: a, key: "${K}" }', '{ tenant: b, key: "${K}" }'),
      ['fleet.yaml:7:7: error: the same key as auth.keys[0] at auth.keys[1] (a key belongs to one tenant)'],
    ],
    [
      keys('{ tenant: a, key: sk-1 }'),
      ['fleet.yaml:6:25: warning: a secret written into the fleet file at auth.keys[0].key (use ${VAR} or key_file)'],
    ],
    [
      keys('{ tenant: a, key_file: gone }'),
      [
        'fleet.yaml:6:30: error: cannot read this file: no such file at auth.keys[0].key_file (a relative path starts at the fleet file)',
      ],
    ],
    [keys('{ tenant: a, key_file: empty }'), ['fleet.yaml:6:30: error: this file is empty at auth.keys[0].key_file']],
    [
      keys('{ tenant: a, key_file: two }'),
      ['fleet.yaml:6:30: error: this file holds spaces, control or non-ASCII characters at auth.keys[0].key_file'],
    ],
    [
      fleetWith('auth: { mode: none, keys: [{ tenant: a, key: "${K}" }] }\n'),
      ['fleet.yaml:4:15: error: mode none, but keys are given at auth.mode (write mode: keys, or remove the keys)'],
    ],
  ])('that are wrong are named by their place only: %j', (text, problems) => {
    expect(said(text, { env: { K: 'sk-env' }, files: { empty: '\n', two: 'a\nb\n', f: 'x' } })).toEqual(problems);
  });

  it('from API_KEYS must be there, and contradict mode none', () => {
    expect(said(fleetWith(''), { env: { API_KEYS: ' , ' } })).toEqual([
      'API_KEYS: error: set, but without a key (unset it, or list keys with commas between)',
    ]);
    expect(said(fleetWith('auth: { mode: none }\n'), { env: { API_KEYS: 'k' } })).toEqual([
      'fleet.yaml:4:15: error: mode none, but API_KEYS is set at auth.mode (write mode: keys, or unset API_KEYS)',
    ]);
    expect(valid(fleetWith('auth: { mode: keys }\n'), { env: { API_KEYS: 'k' } }).fleet.auth.keys).toHaveLength(1);
  });

  it('in a file that others can read are a warning', () => {
    expect(said(keys('{ tenant: a, key_file: k }'), { files: { k: 'x' }, mode: 0o644 })).toEqual([
      'fleet.yaml:6:30: warning: this file has mode 0644, wider than 0640 at auth.keys[0].key_file (chmod 640)',
    ]);
  });
});

describe('secrets', () => {
  it('of backends come from a variable or a file', () => {
    const text =
      'version: 1\nbackends:\n  - { url: http://h:1, auth: { bearer: "${B}" } }\n  - { url: http://h:2, auth: { bearer_file: t } }\n';
    const { fleet } = valid(text, { env: { B: '12345' }, files: { t: 'tok\n' } });
    expect(fleet.backends.map(({ bearer }) => bearer)).toEqual(['12345', 'tok']);
  });

  it.each([
    'version: 1\nbackends:\n  - url: http://u:s3cr3t@h:1\n',
    'version: 1\nbackends:\n  - url: u:s3cr3t@h:1\n',
    'version: 1\nbackends:\n  - url: http://u:s3cr3t@h:99999\n',
    'version: 1\nbackends:\n  - url: ${S}\n',
    'version: 1\nbackends:\n  - { url: http://h:1, engine: "${S}", usage: "${S}", state: "${S}" }\n',
    keys('{ tenant: "a b", key: "s3cr3t x" }'),
    keys('{ tenant: a, key:s3cr3t }'),
    keys('{ tenant: a, key_file: s3cr3t }'),
    keys('{ tenant: a, key_sha256: s3cr3t }'),
    keys('key: "abc" s3cr3t'),
    keys('key: "s3cr3t'),
    keys('key: &s3cr3t'),
    keys('{ tenant: a, key: [s3cr3t] }', 's3cr3t'),
    keys('{ tenant: a, s3cr3t: }'),
    fleetWith('shared_state: { redis: "redis://u:s3cr3t@h:x" }\n'),
    fleetWith('shared_state: { redis: "redis://u:s3cr3t@h/0?s3cr3t" }\n'),
    fleetWith('shared_state: { redis: "redis://s3cr3t@h" }\n'),
    fleetWith('shared_state: { redis: "u:s3cr3t@h" }\n'),
    fleetWith('shared_state: { redis: "redis://:s3cr3t%00@h" }\n'),
    fleetWith('shared_state: { redis: "redis://h", s3cr3t: }\n'),
    fleetWith('shared_state: { redis: "redis://h", password: "s3cr3t x" }\n'),
    fleetWith('shared_state: { redis: "redis://:s3cr3t@h", password: s3cr3t, password_file: s3cr3t }\n'),
    fleetWith('shared_state: { cluster: { nodes: ["u:s3cr3t@h:1"] } }\n'),
    fleetWith('shared_state: { redis: "redis://h", tls: { ca_file: s3cr3t } }\n'),
  ])('appear in no message: %j', (text) => {
    const loaded = load(text, { env: { S: 's3cr3t' } });
    expect(loaded).toHaveProperty('problems');
    expect(JSON.stringify(loaded)).not.toContain('s3cr3t');
  });

  it('in a URL are refused with the block that takes them', () => {
    expect(said('version: 1\nbackends:\n  - url: https://u:pw@h:1\n')).toEqual([
      'fleet.yaml:3:10: error: credentials in a URL at backends[0].url (take them out and write auth: { bearer_file: /run/secrets/NAME.token })',
    ]);
  });
});
