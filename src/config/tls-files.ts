// Certificates and keys that the fleet file names: towards each backend, and of the ports of the router. What cannot be used is
// found here, so that a bad file is refused like any other mistake and never reaches a socket.
import { createHash, X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import type { BackendTls, ServerTls } from '../fleet/tls.ts';
import { parseBackendUrl } from './addresses.ts';
import type { Report } from './diagnostics.ts';
import { present } from './present.ts';
import type { SecretReader } from './secret-reader.ts';
import { child, itemsAt, textAt, type Tree } from './tree.ts';

export interface TlsFiles {
  /** By index in `backends`; absent where there is nothing to set. */
  readonly backends: readonly (BackendTls | undefined)[];
  readonly server?: ServerTls;
  readonly admin?: ServerTls;
}

const warnBeforeMs = 14 * 86_400_000;

export function readTlsFiles(
  root: Tree,
  { secrets, nowMs }: { readonly secrets: SecretReader; readonly nowMs: number },
  report: Report,
): TlsFiles {
  const files = new Files(secrets, nowMs, report);
  const shared = files.client(child(root, 'defaults', 'tls'));
  return {
    backends: itemsAt(root, 'backends').map((backend) => {
      const tls = child(backend, 'tls');
      const own = files.client(tls);
      const url = parseBackendUrl(textAt(backend, 'url') ?? '');
      // Backends that are found are asked over TLS where their entry says something about it.
      const isPlain = child(backend, 'discover') ? !tls : 'value' in url && !url.value.startsWith('https:');
      if (tls && isPlain) report.error(tls.place, 'tls for a URL that starts with http://', 'write https:// there');
      if (isPlain || textAt(backend, 'engine') === 'simulated') return undefined;
      return fingerprinted({ ...shared, ...own });
    }),
    ...present({
      server: files.server(child(root, 'server', 'tls')),
      admin: files.server(child(root, 'admin', 'tls')),
    }),
  };
}

class Files {
  readonly #secrets: SecretReader;
  readonly #nowMs: number;
  readonly #report: Report;

  constructor(secrets: SecretReader, nowMs: number, report: Report) {
    this.#secrets = secrets;
    this.#nowMs = nowMs;
    this.#report = report;
  }

  client(tls: Tree | undefined): Partial<BackendTls> {
    const [certFile, keyFile] = [child(tls, 'cert_file'), child(tls, 'key_file')];
    if (certFile && !keyFile) this.#report.error(certFile.place, 'cert_file without key_file', 'give both, or neither');
    if (keyFile && !certFile) this.#report.error(keyFile.place, 'key_file without cert_file', 'give both, or neither');
    const pair = this.#pair(tls);
    return present({
      ca: this.#authorities(child(tls, 'ca_file')),
      cert: pair?.cert,
      key: pair?.key,
      serverName: textAt(tls, 'server_name'),
    });
  }

  server(tls: Tree | undefined): ServerTls | undefined {
    const pair = this.#pair(tls);
    const clientCa = this.#authorities(child(tls, 'client_ca_file'));
    return pair && { ...pair, ...present({ clientCa }) };
  }

  #pair(tls: Tree | undefined): Omit<ServerTls, 'clientCa'> | undefined {
    const [certFile, keyFile] = [child(tls, 'cert_file'), child(tls, 'key_file')];
    const cert = this.#secrets.pem(certFile, 'public');
    const key = this.#secrets.pem(keyFile, 'secret');
    if (!certFile || !keyFile || cert === undefined || key === undefined) return undefined;
    const [first] = this.#certificates(certFile, cert);
    if (first === undefined) return undefined;
    try {
      createSecureContext({ cert, key });
    } catch (thrown) {
      this.#report.error(keyFile.place, ...whyUnusable(thrown));
      return undefined;
    }
    const expiresAtMs = Date.parse(first.validTo);
    this.#warn(certFile, expiresAtMs);
    return { cert, key, expiresAtMs };
  }

  #authorities(node: Tree | undefined): string | undefined {
    const pem = this.#secrets.pem(node, 'public');
    if (node && pem !== undefined) this.#certificates(node, pem);
    return pem;
  }

  /** Empty when one of them is no certificate, which is reported. */
  #certificates(node: Tree, pem: string): readonly X509Certificate[] {
    const blocks = pem.match(/-----BEGIN [A-Z0-9 ]*CERTIFICATE-----[^-]*-----END [A-Z0-9 ]*CERTIFICATE-----/g) ?? [];
    try {
      const certificates = blocks.map((block) => new X509Certificate(block));
      if (certificates.length > 0) return certificates;
    } catch {
      // Told below: what the parser says about it helps nobody.
    }
    this.#report.error(node.place, 'this file holds no certificate that can be read', 'is it whole, and in PEM form?');
    return [];
  }

  #warn(node: Tree, expiresAtMs: number): void {
    const leftMs = expiresAtMs - this.#nowMs;
    if (leftMs > warnBeforeMs) return;
    const days = Math.floor(leftMs / 86_400_000);
    const when = leftMs <= 0 ? 'has expired' : `expires in ${days === 0 ? 'less than a day' : counted(days)}`;
    this.#report.warning(node.place, `this certificate ${when}`, 'renew it: the files are read again when they change');
  }
}

function counted(days: number): string {
  return days === 1 ? '1 day' : `${days} days`;
}

function whyUnusable(thrown: unknown): readonly [message: string, hint: string] {
  const code = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : '';
  if (code === 'ERR_OSSL_X509_KEY_VALUES_MISMATCH')
    return ['this key does not belong to the certificate in cert_file', 'replace both files'];
  return ['this key cannot be used', 'it must be whole and not encrypted'];
}

function fingerprinted(tls: Partial<BackendTls>): BackendTls | undefined {
  const { ca, cert, key, serverName } = tls;
  const parts = [ca, cert, key, serverName];
  if (parts.every((part) => part === undefined)) return undefined;
  const fingerprint = createHash('sha256').update(JSON.stringify(parts)).digest('hex');
  return { ...present({ ca, cert, key, serverName }), fingerprint };
}
