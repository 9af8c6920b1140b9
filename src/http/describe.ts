// What the head of every answer tells of its request: its id, who answered, in how many tries, and where the time went.
import type { ServerResponse } from 'node:http';
import type { Exchange } from '../routing/exchange.ts';
import { serverTiming } from './server-timing.ts';

/** Names and values in turn, as `writeHead` takes them. */
export function describe(exchange: Exchange, nowMs: number): string[] {
  const { id, backend = 'none', attempts, served, standIn, grant } = exchange;
  const head = [
    'x-request-id',
    id,
    'x-switchyard-backend',
    backend,
    'x-switchyard-attempts',
    `${attempts}`,
    'x-switchyard-model',
    served === undefined ? 'none' : headerText(served),
    'server-timing',
    serverTiming(exchange, nowMs),
  ];
  if (standIn !== undefined) head.push('x-switchyard-fallback', standIn.cause);
  if (grant !== undefined) for (const [name, value] of grant.headers) head.push(name, value);
  return head;
}

/** Of a request that did not get as far as an exchange. */
export function describeUnrouted(requestId: string): string[] {
  return [
    'x-request-id',
    requestId,
    'x-switchyard-backend',
    'none',
    'x-switchyard-attempts',
    '0',
    'x-switchyard-model',
    'none',
  ];
}

/** Puts a description on an answer whose head is still to be written by others. */
export function describeOn(response: ServerResponse, description: readonly string[]): void {
  for (let at = 0; at + 1 < description.length; at += 2)
    response.setHeader(description[at] ?? '', description[at + 1] ?? '');
}

/** A model may be named with what no header can carry. */
function headerText(name: string): string {
  return /^[\x20-\x7e]*$/.test(name) ? name : encodeURIComponent(name);
}
