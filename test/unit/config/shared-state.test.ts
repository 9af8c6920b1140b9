// Shared state: where Redis is, who asks, and how. Its URL has a file of its own.
import { describe, expect, it } from 'vitest';
import { fleetWith, type Given, said, valid } from './support.ts';

const withState = (state: string): string => fleetWith(`shared_state:\n  ${state}\n`);
const stateOf = (state: string, given: Given = {}) => valid(withState(state), given).fleet.sharedState;
const pem = (what: string): string => `# made\n-----BEGIN ${what}-----\nAAAA\n-----END ${what}-----\n`;
const redis = 'redis: redis://h';

describe('shared state', () => {
  it('is in one Redis, with everything that can be said about it', () => {
    const files = { 'ca.pem': pem('CERTIFICATE'), 'c.pem': pem('CERTIFICATE'), 'k.pem': pem('RSA PRIVATE KEY') };
    const { fleet, warnings } = valid(
      fleetWith(`shared_state:
  redis: redis://10.0.0.1:6380
  username: switchyard
  password: \${PW}
  database: 3
  tls: { ca_file: ca.pem, cert_file: c.pem, key_file: k.pem, server_name: redis.internal }
  prefix: "über/"
  replicas: 3
  on_failure: closed
`),
      { env: { PW: 'pw' }, files },
    );
    expect(warnings).toEqual([]);
    expect(fleet.sharedState).toEqual({
      servers: { kind: 'single', address: { host: '10.0.0.1', port: 6380 } },
      username: 'switchyard',
      password: 'pw',
      database: 3,
      tls: { ca: files['ca.pem'], cert: files['c.pem'], key: files['k.pem'], serverName: 'redis.internal' },
      prefix: 'über/',
      replicas: 3,
      onFailure: 'closed',
    });
    expect(Object.isFrozen(fleet.sharedState?.tls)).toBe(true);
  });

  it('is found through sentinels, which have a user of their own', () => {
    const sentinel = 'primary: mymaster, nodes: ["10.0.0.1:26379", "[::1]:26379"], username: s, password_file: s.pw';
    expect(
      stateOf(`{ sentinel: { ${sentinel} }, password: "\${PW}", database: 1 }`, {
        env: { PW: 'pw' },
        files: { 's.pw': 'sentinel-pw\n' },
      }),
    ).toMatchObject({
      servers: {
        kind: 'sentinel',
        primary: 'mymaster',
        sentinels: [
          { host: '10.0.0.1', port: 26379 },
          { host: '::1', port: 26379 },
        ],
        username: 's',
        password: 'sentinel-pw',
      },
      password: 'pw',
      database: 1,
    });
    expect(stateOf('sentinel: { primary: m, nodes: ["h:1"] }')?.servers).toEqual({
      kind: 'sentinel',
      primary: 'm',
      sentinels: [{ host: 'h', port: 1 }],
    });
  });

  it('is spread over a cluster', () => {
    expect(stateOf('{ cluster: { nodes: ["a:1", "b:2"] }, database: 0, tls: {} }')).toMatchObject({
      servers: {
        kind: 'cluster',
        nodes: [
          { host: 'a', port: 1 },
          { host: 'b', port: 2 },
        ],
      },
      database: 0,
      tls: {},
    });
  });

  it('has TLS from the scheme and the rest of it from the mapping', () => {
    expect(stateOf('redis: rediss://h\n  tls: { server_name: n }')?.tls).toEqual({ serverName: 'n' });
    expect(stateOf('redis: redis://h\n  tls: {}')?.tls).toEqual({});
    expect(stateOf(redis)).not.toHaveProperty('tls');
  });

  it('is left out where nothing is written', () => {
    expect(valid(fleetWith('shared_state:\n')).fleet).not.toHaveProperty('sharedState');
  });

  it.each([
    ['{}', '5:3: error: shared state without a server at shared_state (give one of redis, sentinel, cluster)'],
    [
      '{ redis: "${NONE:-}" }',
      '5:3: error: shared state without a server at shared_state (give one of redis, sentinel, cluster)',
    ],
    [
      '{ redis: "${NONE}" }',
      '5:12: error: environment variable NONE is not set at shared_state.redis (set it, or write ${NONE:-default})',
    ],
    [
      '{ redis: "redis://h", cluster: { nodes: ["h:1"] } }',
      '5:3: error: redis and cluster exclude each other at shared_state (give one of them)',
    ],
    [
      '{ cluster: { nodes: ["h"] } }',
      '5:24: error: expected an address at shared_state.cluster.nodes[0] (write HOST:PORT, such as 10.0.0.1:6379 or [::1]:6379)',
    ],
    [
      '{ cluster: { nodes: ["h:0"] } }',
      '5:24: error: port 0 at shared_state.cluster.nodes[0] (write HOST:PORT, such as 10.0.0.1:6379 or [::1]:6379)',
    ],
    ['{ cluster: { nodes: [] } }', '5:23: error: needs at least one entry at shared_state.cluster.nodes'],
    [
      '{ cluster: { nodes: ["h:1"] }, database: 1 }',
      '5:44: error: a cluster has only database 0 at shared_state.database (remove it)',
    ],
    [
      '{ sentinel: { nodes: ["h:1"] } }',
      '5:15: error: required at shared_state.sentinel.primary (the name the sentinels know it by)',
    ],
    [
      '{ sentinel: { primary: m, nodes: ["h:1"], username: u } }',
      '5:55: error: a username without a password at shared_state.sentinel.username (give password or password_file too)',
    ],
    [
      '{ redis: "redis://h", username: u }',
      '5:35: error: a username without a password at shared_state.username (give password or password_file too)',
    ],
    [
      '{ redis: "redis://:${PW}@h", username: u }',
      '5:42: error: username beside a redis URL with a password in it at shared_state.username (give them in one place)',
    ],
    [
      '{ redis: "redis://:${PW}@h", password: "${PW}" }',
      '5:42: error: password beside a redis URL with a password in it at shared_state.password (give them in one place)',
    ],
    [
      '{ redis: "redis://h/0", database: 0 }',
      '5:37: error: database beside a redis URL with a database in it at shared_state.database (give it in one place)',
    ],
    [
      '{ redis: "redis://h", password: "${PW}", password_file: p }',
      '5:59: error: password and password_file exclude each other at shared_state.password_file (give one of them)',
    ],
    ['{ redis: "redis://h", database: -1 }', '5:35: error: must be at least 0 at shared_state.database'],
    [
      '{ redis: "redis://h", tls: true }',
      '5:30: error: expected a mapping, found true or false at shared_state.tls (write tls: {} for TLS with the CAs of the system)',
    ],
    [
      '{ redis: "redis://h", prefix: "a{b}" }',
      '5:33: error: expected 1 to 64 characters without braces, spaces and control characters at shared_state.prefix',
    ],
    [
      '{ redis: "redis://h", on_failure: opne }',
      '5:37: error: expected one of local, open, closed, found "opne" at shared_state.on_failure (did you mean "open"?)',
    ],
    [
      '{ redis: "redis://h", nodes: [] }',
      '5:25: error: unknown key at shared_state (known: redis, sentinel, cluster, username, password, password_file, database, tls, prefix, replicas, on_failure)',
    ],
  ])('that makes no sense is refused: %s', (state, problem) => {
    expect(said(withState(state), { env: { PW: 'pw' }, files: { p: 'pw' } })).toEqual([`fleet.yaml:${problem}`]);
  });

  it('says that a mapping is missing also where a variable stands in its place', () => {
    expect(said(withState(`${redis}\n  tls: \${T:-true}`))).toEqual([
      'fleet.yaml:6:8: error: expected a mapping, found true or false at shared_state.tls (write tls: {} for TLS with the CAs of the system)',
    ]);
  });
});

describe('the secrets of shared state', () => {
  it('written into the file are a warning each', () => {
    expect(said(withState('{ redis: "redis://:pw@h" }'))).toEqual([
      'fleet.yaml:5:12: warning: a secret written into the fleet file at shared_state.redis (use ${VAR} or password_file)',
    ]);
    expect(said(withState('{ sentinel: { primary: m, nodes: ["h:1"], password: pw }, password: pw }'))).toEqual([
      'fleet.yaml:5:55: warning: a secret written into the fleet file at shared_state.sentinel.password (use ${VAR} or password_file)',
      'fleet.yaml:5:71: warning: a secret written into the fleet file at shared_state.password (use ${VAR} or password_file)',
    ]);
  });

  it('change the hash, and so do the certificates', () => {
    const text = fleetWith(
      'shared_state: { redis: "redis://h", password_file: p, tls: { ca_file: ca, cert_file: ce, key_file: k } }\n',
    );
    const files = { p: 'one', ca: pem('CERTIFICATE'), ce: pem('CERTIFICATE'), k: pem('PRIVATE KEY') };
    const hash = (changed: Record<string, string>): string => valid(text, { files: { ...files, ...changed } }).hash;
    const other = Object.entries(files).map(([name, content]) => hash({ [name]: `${content.trimEnd()}2\n` }));
    expect(new Set([hash({}), hash({}), ...other]).size).toBe(5);
  });

  it.each([
    [
      'ca_file: gone',
      '19: error: cannot read this file: no such file at shared_state.tls.ca_file (a relative path starts at the fleet file)',
    ],
    ['ca_file: empty', '19: error: this file is empty at shared_state.tls.ca_file'],
    ['ca_file: big', '19: error: this file is larger than 64 KiB at shared_state.tls.ca_file'],
    ['ca_file: k', '19: error: this file holds no certificate in PEM form at shared_state.tls.ca_file'],
    ['cert_file: c', '21: error: cert_file without key_file at shared_state.tls.cert_file (give both, or neither)'],
    ['key_file: k', '20: error: key_file without cert_file at shared_state.tls.key_file (give both, or neither)'],
    ['cert_file: c, key_file: c', '34: error: this file holds no private key in PEM form at shared_state.tls.key_file'],
  ])('in files that are no use are refused: %s', (tls, problem) => {
    const files = {
      empty: '\n',
      big: `${pem('CERTIFICATE')}${'#'.repeat(2 ** 16)}`,
      k: pem('EC PRIVATE KEY'),
      c: pem('CERTIFICATE'),
    };
    expect(said(withState(`${redis}\n  tls: { ${tls} }`), { files })).toEqual([`fleet.yaml:6:${problem}`]);
  });

  it('are to be readable for few, certificates for everyone', () => {
    const files = { c: pem('CERTIFICATE'), k: pem('PRIVATE KEY'), p: 'pw' };
    const state = `${redis}\n  password_file: p\n  tls: { ca_file: c, cert_file: c, key_file: k }`;
    expect(said(withState(state), { files, mode: 0o644 })).toEqual([
      'fleet.yaml:6:18: warning: this file has mode 0644, wider than 0640 at shared_state.password_file (chmod 640)',
      'fleet.yaml:7:46: warning: this file has mode 0644, wider than 0640 at shared_state.tls.key_file (chmod 640)',
    ]);
  });
});
