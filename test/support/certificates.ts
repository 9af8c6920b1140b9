// Certificate authorities of a test and what they sign, made with openssl in a directory of their own.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';

export interface Signed {
  readonly cert: string;
  readonly key: string;
  readonly certFile: string;
  readonly keyFile: string;
}

export interface Authority {
  readonly ca: string;
  readonly caFile: string;
  /** `names`: as subjectAltName has them. `until`: when it ends, as openssl writes times; in two days unless said. */
  sign(wishes?: { readonly names?: string; readonly until?: string }): Signed;
}

/** Call at the top of a test file; what it returns makes an authority. @throws Error that says what to install without openssl. */
export function authoritiesOfTest(): () => Authority {
  const directories: string[] = [];
  afterAll(() => {
    for (const directory of directories) rmSync(directory, { recursive: true });
  });
  return () => {
    const directory = mkdtempSync(join(tmpdir(), 'switchyard-ca-'));
    directories.push(directory);
    return makeAuthority(directory);
  };
}

function makeAuthority(directory: string): Authority {
  const path = (name: string): string => join(directory, name);
  const newKey = (file: string) => ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', file];
  const caFile = path('ca.pem');
  const authority = ['-x509', ...newKey(path('ca.key')), '-out', caFile, '-days', '2', '-subj', '/CN=test CA'];
  openssl('req', ...authority);
  writeFileSync(path('serial'), '01\n');
  writeFileSync(path('index'), '');
  let made = 0;
  return {
    ca: readFileSync(caFile, 'utf8'),
    caFile,
    sign({ names = 'IP:127.0.0.1, DNS:localhost', until } = {}) {
      const [certFile, keyFile, request] = ['pem', 'key', 'csr'].map((kind) => path(`${made}.${kind}`));
      if (certFile === undefined || keyFile === undefined || request === undefined) throw new Error('no path');
      openssl('req', ...newKey(keyFile), '-out', request, '-subj', `/CN=test ${made++}`);
      // `x509 -req` signs for whole days from now on only.
      const policy = `[ca]\ndefault_ca = own\n[own]\ndatabase = ${path('index')}\nserial = ${path('serial')}\nnew_certs_dir = ${directory}\nrand_serial = yes\ndefault_md = sha256\npolicy = any\n[any]\ncommonName = supplied\n[names]\nsubjectAltName = ${names}\n`;
      writeFileSync(path('policy'), policy);
      const time = until === undefined ? ['-days', '2'] : ['-startdate', '20200101000000Z', '-enddate', until];
      const signing = ['-config', path('policy'), '-extensions', 'names', '-cert', caFile, '-keyfile', path('ca.key')];
      openssl('ca', '-batch', '-notext', ...signing, ...time, '-in', request, '-out', certFile);
      return { cert: readFileSync(certFile, 'utf8'), key: readFileSync(keyFile, 'utf8'), certFile, keyFile };
    },
  };
}

function openssl(...args: readonly string[]): void {
  try {
    execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] });
  } catch (cause) {
    const isMissing = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
    if (!isMissing) throw cause;
    throw new Error('This test needs openssl (Debian, Ubuntu: apt-get install openssl).', { cause });
  }
}
