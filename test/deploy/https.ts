// Callers over TLS: one connection for each request, and answers that can be read while they come.
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';

export interface Ca {
  readonly ca: string;
  readonly port: number;
}

export interface Answer {
  readonly status: number;
  readonly text: string;
}

export function get(front: Ca, path: string): Promise<Answer> {
  return whole(begin(front, 'GET', path));
}

export function post(front: Ca, body: object): Promise<Answer> {
  return whole(begin(front, 'POST', '/v1/chat/completions', JSON.stringify(body)));
}

/** Resolves with the head. */
export function open(front: Ca, body: object): Promise<IncomingMessage> {
  return begin(front, 'POST', '/v1/chat/completions', JSON.stringify(body));
}

/** Reads on until what came holds `mark`. @throws Error when it ends without. */
export async function readUntil(response: IncomingMessage, mark: string): Promise<string> {
  response.setEncoding('utf8');
  for (let text = ''; ; ) {
    const piece: unknown = response.read();
    if (typeof piece === 'string') text += piece;
    if (text.includes(mark)) return text;
    if (response.readableEnded || response.destroyed) throw new Error(`ended without ${mark}: ${text}`);
    if (piece === null) await Promise.race([once(response, 'readable'), once(response, 'close')]);
  }
}

async function begin({ ca, port }: Ca, method: string, path: string, body = ''): Promise<IncomingMessage> {
  const headers = body === '' ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
  const sent = request({ host: '127.0.0.1', port, method, path, ca, headers, agent: false });
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  sent.once('response', resolve).once('error', reject);
  sent.end(body);
  const response = await promise;
  // Whoever hangs up must not be told of it as a failure.
  response.on('error', () => {});
  return response;
}

async function whole(coming: Promise<IncomingMessage>): Promise<Answer> {
  const response = await coming;
  const pieces: Buffer[] = [];
  for await (const piece of response) pieces.push(Buffer.from(piece));
  return { status: response.statusCode ?? 0, text: Buffer.concat(pieces).toString() };
}
