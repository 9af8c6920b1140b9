// Certificates and keys that a fleet file names: what is read, what is refused, and what is only warned of.
import { describe, expect, it } from 'vitest';
import { tlsTroubleOf } from '../../../src/fleet/tls.ts';
import { authoritiesOfTest } from '../../support/certificates.ts';
import { fleetWith, type Given, said, valid } from './support.ts';

const makeAuthority = authoritiesOfTest();
const authority = makeAuthority();
const [own, other] = [authority.sign(), authority.sign()];
const files = {
  'ca.pem': authority.ca,
  'own.pem': own.cert,
  'own.key': own.key,
  'other.pem': other.cert,
  'other.key': other.key,
  'bad.pem': '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
  'bad.key': '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n',
};
const fleetOf = (text: string, given: Given = {}) => valid(text, { files, ...given });
const secure = (...entries: readonly string[]) =>
  `version: 1\nbackends:\n${entries.map((entry, n) => `  - { name: b${n}, url: "https://h${n}:1"${entry} }\n`).join('')}`;

describe('tls of a backend', () => {
  it('is read from files, merged with the defaults field by field', () => {
    const shared = 'defaults: { tls: { ca_file: ca.pem, cert_file: own.pem, key_file: own.key } }\n';
    const { fleet } = fleetOf(
      `${secure('', ', tls: { server_name: gpu.internal }', ', tls: { cert_file: other.pem, key_file: other.key }')}${shared}`,
    );
    const common = { ca: authority.ca, cert: own.cert, key: own.key };
    expect(fleet.backends.map(({ tls }) => tls)).toEqual([
      { ...common, fingerprint: expect.any(String) },
      { ...common, serverName: 'gpu.internal', fingerprint: expect.any(String) },
      { ca: authority.ca, cert: other.cert, key: other.key, fingerprint: expect.any(String) },
    ]);
    expect(new Set(fleet.backends.map(({ tls }) => tls?.fingerprint)).size).toBe(3);
  });

  it('of the defaults concerns only those with https:// in their URL', () => {
    const { fleet } = fleetOf(fleetWith('defaults: { tls: { ca_file: ca.pem } }\n'));
    expect(fleet.backends[0]?.tls).toBeUndefined();
  });

  it('changes the hash of the fleet with the content of its files', () => {
    const text = secure(', tls: { ca_file: ca.pem }');
    const renewed = { ...files, 'ca.pem': makeAuthority().ca };
    expect(fleetOf(text).hash).not.toBe(fleetOf(text, { files: renewed }).hash);
  });

  it.each([
    ['cert_file: own.pem', 'cert_file without key_file at backends[0].tls.cert_file'],
    ['key_file: own.key', 'key_file without cert_file at backends[0].tls.key_file'],
    ['ca_file: gone.pem', 'cannot read this file: no such file at backends[0].tls.ca_file'],
    ['ca_file: own.key', 'this file holds no certificate in PEM form at backends[0].tls.ca_file'],
    ['ca_file: bad.pem', 'this file holds no certificate that can be read at backends[0].tls.ca_file'],
    ['cert_file: own.pem, key_file: other.key', 'this key does not belong to the certificate in cert_file'],
    ['cert_file: own.pem, key_file: bad.key', 'this key cannot be used at backends[0].tls.key_file'],
    ['server_name: "a b"', 'expected the name of a host at backends[0].tls.server_name'],
    ['insecure: true', 'unknown key "insecure" at backends[0].tls'],
  ])('with { %s } is told what is wrong', (tls, problem) => {
    expect(said(secure(`, tls: { ${tls} }`), { files })).toEqual([expect.stringContaining(problem)]);
  });

  it('is refused beside http://', () => {
    const text = 'version: 1\nbackends: [{ url: "http://h:1", tls: { ca_file: ca.pem } }]\n';
    expect(said(text, { files })).toEqual([expect.stringContaining('tls for a URL that starts with http://')]);
  });

  it('warns of a key that others can read', () => {
    const text = secure(', tls: { cert_file: own.pem, key_file: own.key }');
    expect(said(text, { files, mode: 0o644 })).toEqual([
      expect.stringContaining('warning: this file has mode 0644, wider than 0640 at backends[0].tls.key_file'),
    ]);
  });
});

describe('tls of a port', () => {
  const server = 'server: { tls: { cert_file: own.pem, key_file: own.key, client_ca_file: ca.pem } }\n';

  it('is read from files, and with it until when it is good', () => {
    const { fleet } = fleetOf(fleetWith(`${server}admin: { tls: { cert_file: other.pem, key_file: other.key } }\n`));
    expect(fleet.server.tls).toMatchObject({ cert: own.cert, key: own.key, clientCa: authority.ca });
    expect(fleet.server.tls?.expiresAtMs).toBeGreaterThan(Date.now());
    expect(fleet.admin?.tls).toMatchObject({ cert: other.cert, key: other.key });
  });

  it('needs both files', () => {
    const problem = expect.stringContaining('required at server.tls.key_file');
    expect(said(fleetWith('server: { tls: { cert_file: own.pem } }\n'), { files })).toEqual([problem]);
  });

  it('warns in the last two weeks, and of one that has expired', () => {
    const { fleet } = fleetOf(fleetWith(server));
    const endsMs = fleet.server.tls?.expiresAtMs ?? 0;
    const saidAt = (beforeMs: number) => said(fleetWith(server), { files, nowMs: endsMs - beforeMs });
    const day = 86_400_000;
    expect(saidAt(15 * day)).toEqual([]);
    expect(saidAt(13.5 * day)).toEqual([
      expect.stringContaining('warning: this certificate expires in 13 days at server.tls'),
    ]);
    expect(saidAt(day / 2)).toEqual([expect.stringContaining('this certificate expires in less than a day')]);
    expect(saidAt(-1)).toEqual([expect.stringContaining('this certificate has expired')]);
  });
});

describe('a failure to shake hands', () => {
  it.each([
    ['SELF_SIGNED_CERT_IN_CHAIN', 'tls_untrusted'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'tls_name'],
    ['CERT_HAS_EXPIRED', 'tls_expired'],
    ['ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', 'tls_client_required'],
    ['ERR_SSL_TLSV1_ALERT_UNKNOWN_CA', 'tls_client_refused'],
    ['ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE', 'tls_handshake'],
    ['ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE', 'tls_handshake'],
    ['ERR_SSL_WRONG_VERSION_NUMBER', 'tls_none'],
    ['ECONNREFUSED', undefined],
    ['toString', undefined],
    ['ERR_SSL_X_ALERT_constructor', undefined],
  ])('with the code %s is %s', (code, trouble) => {
    expect(tlsTroubleOf(code)).toBe(trouble);
  });
});
