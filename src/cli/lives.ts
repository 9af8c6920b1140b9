// Whether a router answers at an address, which is all that a check of its life wants to know. Nothing secret is sent and nothing
// that comes is believed but that it came, so a certificate is not verified: a container has no CA for its own.
import { isIP } from 'node:net';
import { connect } from 'node:tls';
import { hostAndPort } from '../fleet/address-of-url.ts';

export interface LivesOptions {
  readonly timeoutMs: number;
}

export function lives(url: string, options: LivesOptions): Promise<boolean> {
  return url.startsWith('https:')
    ? livesOverTls(new URL(`${url}/livez`), options)
    : livesPlainly(`${url}/livez`, options);
}

async function livesPlainly(url: string, { timeoutMs }: LivesOptions): Promise<boolean> {
  try {
    const response = await fetch(url, { redirect: 'manual', signal: AbortSignal.timeout(timeoutMs) });
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}

/** As a router answers that wants a certificate of ours: it has come to that, so it lives. */
const wantsCertificate = 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED';

function livesOverTls(url: URL, { timeoutMs }: LivesOptions): Promise<boolean> {
  const { host, port } = hostAndPort(url.href);
  const socket = connect({
    host,
    port,
    ...(isIP(host) === 0 ? { servername: host } : {}),
    rejectUnauthorized: false,
  });
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const deadline = setTimeout(resolve, timeoutMs, false);
  let received = '';
  socket.setEncoding('latin1');
  socket.on('data', (text: string) => {
    received += text;
    if (received.includes('\r\n')) resolve(/^HTTP\/1\.[01] 2\d\d /.test(received));
  });
  socket.on('error', (cause) => resolve('code' in cause && cause.code === wantsCertificate));
  socket.on('close', () => resolve(false));
  socket.write(`GET ${url.pathname} HTTP/1.1\r\nhost: ${url.host}\r\nconnection: close\r\n\r\n`);
  return promise.finally(() => {
    clearTimeout(deadline);
    socket.destroy();
  });
}
