// What the head of every answer tells of its request: its id, who answered, in how many tries, and where the time went.
import type { Exchange } from '../routing/exchange.ts';
import type { HeaderList } from '../routing/ports.ts';
import { serverTiming } from './server-timing.ts';

export function describe(exchange: Exchange, nowMs: number): HeaderList {
  const { id, backend = 'none', attempts, served, standIn, grant } = exchange;
  const head: (readonly [string, string])[] = [
    ['x-request-id', id],
    ['x-switchyard-backend', backend],
    ['x-switchyard-attempts', `${attempts}`],
    ['x-switchyard-model', served === undefined ? 'none' : headerText(served)],
    ['server-timing', serverTiming(exchange, nowMs)],
  ];
  if (standIn !== undefined) head.push(['x-switchyard-fallback', standIn.cause]);
  if (grant !== undefined) head.push(...grant.headers);
  return head;
}

/** Of a request that did not get as far as an exchange. */
export function describeUnrouted(requestId: string): HeaderList {
  return [
    ['x-request-id', requestId],
    ['x-switchyard-backend', 'none'],
    ['x-switchyard-attempts', '0'],
    ['x-switchyard-model', 'none'],
  ];
}

/** A model may be named with what no header can carry. */
function headerText(name: string): string {
  return /^[\x20-\x7e]*$/.test(name) ? name : encodeURIComponent(name);
}
