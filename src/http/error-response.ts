// The one place where an error becomes bytes.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../clock.ts';
import type { GatewayError } from '../errors.ts';
import { objectOf, parseJson } from '../wire/json-value.ts';

/** The envelope of everything the gateway itself says. */
export function envelope(error: GatewayError): string {
  return JSON.stringify({ error: { type: error.row.type, message: error.message } });
}

/** The last event of a stream that fails: a backend's own error object where SDKs take it for one, or ours. */
export function eventText(error: GatewayError): string {
  const sent = objectOf(parseJson(error.details.asSent?.body.toString('utf8') ?? ''));
  return `data: ${sent?.error ? JSON.stringify(sent) : envelope(error)}\n\n`;
}

/** An unread body beyond this costs the connection instead of the time to read it. */
const maxUnreadBytes = 65_536;
const lingerMs = 1_000;

/** Answers with the error's own envelope, or with a backend's reply as it was sent. Nothing may have left before. */
export function sendError(request: IncomingMessage, response: ServerResponse, error: GatewayError, clock: Clock): void {
  const { asSent } = error.details;
  const body = asSent?.body ?? Buffer.from(envelope(error));
  response.statusCode = error.status;
  if (asSent === undefined) response.setHeader('content-type', 'application/json');
  for (const [name, value] of asSent?.headers ?? []) response.setHeader(name, value);
  for (const [name, value] of Object.entries(error.details.headers ?? {})) response.setHeader(name, value);
  const retryAfter =
    asSent === undefined ? (error.details.retryAfterSeconds ?? error.row.retryAfterSeconds) : undefined;
  if (retryAfter !== undefined) response.setHeader('retry-after', String(Math.max(1, Math.ceil(retryAfter))));
  if (error.row.shouldRetry !== undefined) response.setHeader('x-should-retry', String(error.row.shouldRetry));
  response.setHeader(
    'x-switchyard-error-source',
    error.row.source === 'backend' || asSent !== undefined ? 'backend' : 'gateway',
  );
  response.setHeader('content-length', body.length);
  if (request.complete || Number(request.headers['content-length'] ?? Infinity) <= maxUnreadBytes) {
    response.end(body);
  } else {
    endWithUnreadBody(request, response, body, clock);
  }
}

/** Closing on a caller that is still sending would reset the connection and lose the answer, so it may send on a little. */
function endWithUnreadBody(request: IncomingMessage, response: ServerResponse, body: Buffer, clock: Clock): void {
  response.setHeader('connection', 'close');
  response.write(body);
  const finish = () => {
    cancel();
    response.end();
  };
  const cancel = clock.after(lingerMs, finish);
  request.once('end', finish).once('close', finish);
  request.resume();
}
