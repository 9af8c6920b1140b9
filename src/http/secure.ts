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
export function exchangeCertificates(server: AnyServer, tls: ServerTls | undefined): void {
  if (tls !== undefined && server instanceof HttpsServer) server.setSecureContext(tlsOptions(tls));
}

export function isSecure(server: AnyServer): boolean {
  return server instanceof HttpsServer;
}
