// The listening socket: limits on heads and bodies, and Node's own refusals in the same envelope as ours.
import { randomUUID } from 'node:crypto';
import {
  createServer as createHttpServer,
  type ServerOptions,
  type ServerResponse,
  type IncomingMessage,
  STATUS_CODES,
} from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Server as TcpServer, type Socket } from 'node:net';
import type Koa from 'koa';
import { type ErrorCode, GatewayError } from '../errors.ts';
import type { Address } from '../fleet/fleet.ts';
import type { ServerTls } from '../fleet/tls.ts';
import { describeUnrouted } from './describe.ts';
import { envelope } from './error-response.ts';
import type { OpenSockets } from './open-sockets.ts';
import { type AnyServer, tlsOptions } from './secure.ts';

const maxHeaderBytes = 16_384;

export interface ServerParts {
  readonly sockets: OpenSockets;
  readonly headTimeoutMs: number;
  readonly bodyTimeoutMs: number;
  /** Connections beyond are closed as they come; absent: none are. */
  readonly maxConnections?: number | undefined;
  readonly dropped?: () => void;
  /** Absent: plain HTTP. */
  readonly tls?: ServerTls | undefined;
}

export function createServer(app: Koa, parts: ServerParts): AnyServer {
  const { sockets, headTimeoutMs, bodyTimeoutMs, maxConnections, dropped, tls } = parts;
  const handle = app.callback();
  const options: ServerOptions = {
    maxHeaderSize: maxHeaderBytes,
    headersTimeout: headTimeoutMs,
    // Bodies have a deadline of their own, answered in the usual way; this one only ends what slips through.
    requestTimeout: bodyTimeoutMs + 10_000,
    connectionsCheckingInterval: Math.min(1_000, headTimeoutMs),
    // Above the idle time of common load balancers, which must be the ones to close first.
    keepAliveTimeout: 75_000,
    noDelay: true,
    keepAlive: true,
    // Whoever is gone without a word is found out also while nothing is written to it.
    keepAliveInitialDelay: 30_000,
  };
  const server: AnyServer =
    tls === undefined
      ? createHttpServer(options)
      : createHttpsServer({ ...options, ...tlsOptions(tls), handshakeTimeout: headTimeoutMs });
  server.maxHeadersCount = 101;
  server.maxRequestsPerSocket = 1_000;
  if (maxConnections !== undefined) server.maxConnections = maxConnections;
  if (dropped !== undefined) server.on('drop', dropped);
  sockets.watch(server);
  const onRequest = (request: IncomingMessage, response: ServerResponse) => {
    sockets.begin(response);
    void handle(request, response);
  };
  server.on('request', onRequest);
  // The 100 is sent when the body is wanted, not before the key was looked at.
  server.on('checkContinue', onRequest);
  // Refused like everything else that is asked in a wrong way, by the app.
  server.on('checkExpectation', onRequest);
  server.on('clientError', (cause: NodeJS.ErrnoException, socket: Socket) => {
    // An answer must never be glued to another one that is under way.
    if (socket.writable && cause.code !== 'ECONNRESET' && sockets.isFree(socket)) answerClientError(cause, socket);
    else socket.destroy();
  });
  return server;
}

/**
 * Resolves with the address taken, which tells the port when 0 was asked for. `isShared`: with others that say so too; each
 * new connection comes to one of them.
 */
export function listen(
  server: AnyServer | TcpServer,
  { host, port }: Address,
  { isShared = false }: { readonly isShared?: boolean } = {},
): Promise<Address> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port, reusePort: isShared }, () => {
      server.off('error', reject);
      const address: AddressInfo | string | null = server.address();
      resolve(
        typeof address === 'object' && address !== null
          ? { host: address.address, port: address.port }
          : { host, port },
      );
    });
  });
}

/**
 * Why several can't listen on one port together; undefined: they can.
 * @throws what keeps everybody from listening there, such as another process that does
 */
export async function whyNotShared({ host, port }: Address): Promise<string | undefined> {
  // Whoever shares ports too would let us in beside it, unasked.
  await listenAndClose({ host, port }, { isShared: false });
  try {
    await listenAndClose({ host, port: 0 }, { isShared: true });
    return undefined;
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown';
    return `this system can't share a port between threads (${code})`;
  }
}

async function listenAndClose(address: Address, how: { readonly isShared: boolean }): Promise<void> {
  const server = createTcpServer();
  await listen(server, address, how);
  await new Promise<void>((resolve) => void server.close(() => resolve()));
}

function answerClientError(cause: NodeJS.ErrnoException, socket: Socket): void {
  const error = new GatewayError(codeOf(cause), messageOf(cause));
  const body = envelope(error);
  const head = [
    `HTTP/1.1 ${error.status} ${STATUS_CODES[error.status] ?? 'Error'}`,
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(body)}`,
    ...describeUnrouted(randomUUID()).map(([name, value]) => `${name}: ${value}`),
    'x-switchyard-error-source: gateway',
    'connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}

function codeOf({ code }: NodeJS.ErrnoException): ErrorCode {
  if (code === 'HPE_HEADER_OVERFLOW') return 'headers_too_large';
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return 'request_timeout';
  return 'invalid_request';
}

function messageOf({ code }: NodeJS.ErrnoException): string {
  if (code === 'HPE_HEADER_OVERFLOW') return `The request head is larger than ${maxHeaderBytes} bytes.`;
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return 'The request did not arrive in time.';
  return 'The request is not valid HTTP/1.1.';
}
