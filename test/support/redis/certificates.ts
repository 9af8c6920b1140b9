// A certificate authority of one test and the certificate of its server on loopback, made with openssl.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run, succeeds } from '../../real/run.ts';

export interface Certificates {
  readonly caFile: string;
  readonly certFile: string;
  readonly keyFile: string;
}

/** @throws Error that says what to install when there is no openssl. */
export async function makeCertificates(dir: string): Promise<Certificates> {
  if (!(await succeeds('openssl', ['version'])))
    throw new Error(
      'Redis over TLS needs openssl (Debian, Ubuntu: apt-get install openssl); then run the tests again.',
    );
  const path = (name: string): string => join(dir, name);
  const newKey = ['-newkey', 'rsa:2048', '-nodes', '-keyout'];
  const authority = ['-x509', ...newKey, path('ca.key'), '-out', path('ca.pem'), '-days', '2', '-subj', '/CN=test CA'];
  await run('openssl', ['req', ...authority]);
  await run('openssl', ['req', ...newKey, path('key.pem'), '-out', path('request.pem'), '-subj', '/CN=localhost']);
  writeFileSync(path('names'), 'subjectAltName = IP:127.0.0.1, DNS:localhost\n');
  const signing = ['-CA', path('ca.pem'), '-CAkey', path('ca.key'), '-CAcreateserial', '-extfile', path('names')];
  const result = ['-in', path('request.pem'), '-out', path('cert.pem'), '-days', '2'];
  await run('openssl', ['x509', '-req', ...signing, ...result]);
  return { caFile: path('ca.pem'), certFile: path('cert.pem'), keyFile: path('key.pem') };
}
