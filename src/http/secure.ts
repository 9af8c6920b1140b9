// What a port of ours speaks where it speaks TLS, and its certificates exchanged while it runs.
import type { Server as HttpServer } from 'node:http';
import { Server as HttpsServer } from 'node:https';
import type { TlsOptions } from 'node:tls';
import type { ServerTls } from '../fleet/tls.ts';

export type AnyServer = HttpServer | HttpsServer;

export function tlsOptions({ cert, key, clientCa }: ServerTls): TlsOptions {
  return {
    cert,
    key,
    minVersion: 'TLSv1.2',
    // The app reads HTTP/1.1 only.
    ALPNProtocols: ['http/1.1'],
    ...(clientCa === undefined ? {} : { ca: clientCa, requestCert: true, rejectUnauthorized: true }),
  };
}

/**
 * For connections from now on; those that are open keep what they shook hands with. Without effect on a port that speaks plain
 * HTTP, and where there is nothing to exchange it for: what a port speaks is decided at the start.
 */
export function createExchange(server: AnyServer, first: ServerTls | undefined): (tls: ServerTls | undefined) => void {
  let shown = first;
  return (tls) => {
    if (tls === undefined || shown === undefined || !(server instanceof HttpsServer)) return;
    const { cert, key, expiresAtMs } = tls;
    // Whether callers are asked for certificates is decided at the start too, and without a CA of ours every known one would do.
    const clientCa = shown.clientCa === undefined ? undefined : (tls.clientCa ?? shown.clientCa);
    const next = { cert, key, expiresAtMs, ...(clientCa === undefined ? {} : { clientCa }) };
    if (next.cert === shown.cert && next.key === shown.key && next.clientCa === shown.clientCa) return;
    shown = next;
    server.setSecureContext(tlsOptions(next));
  };
}

export function isSecure(server: AnyServer): boolean {
  return server instanceof HttpsServer;
}
