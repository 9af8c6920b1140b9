// Carries out one behaviour on one request. Everything it waits for ends with `signal`, which aborts when the
// connection is gone or the engine closes; it then throws and leaves nothing behind.
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { setImmediate, setTimeout } from 'node:timers/promises';
import type { Behaviour, RawPart } from './behaviours.ts';
import { type Dialect, type FaultContext, isJson, type Reply, type World } from './dialect.ts';
import type { Entry } from './journal.ts';
import type { Slots } from './slots.ts';

/** One request under way. */
export interface Conversation {
  readonly entry: Entry;
  readonly response: ServerResponse;
  readonly socket: Socket;
  readonly signal: AbortSignal;
  readonly dialect: Dialect;
  readonly world: World;
  readonly slots: Slots;
  readonly context: FaultContext;
  /** Told how many tokens were generated. */
  count(tokens: number): void;
}

/** All but answers and faults, which answer.ts turns into bytes. */
export type Disturbance = Exclude<Behaviour, { readonly kind: 'answer' | 'fault' }>;

export async function disturb(on: Conversation, behaviour: Disturbance): Promise<void> {
  switch (behaviour.kind) {
    case 'reply':
      return sendReply(on, behaviour);
    case 'hang':
      if (behaviour.after === 'head') writeHead(on, 200, streamHeaders(on));
      return forever(on.signal);
    case 'hang-up':
      if (behaviour.after === 'head') writeHead(on, 200, streamHeaders(on));
      await wait(0, on.signal);
      return breakOff(on, behaviour.how);
    case 'raw':
      return sendRaw(on, behaviour.parts, behaviour.ending);
    case 'endless':
      return sendEndless(on, behaviour.of);
    default:
      return behaviour satisfies never;
  }
}

export function sendReply(on: Conversation, { status, headers = {}, body }: Reply): void {
  const text = body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body);
  const type = typeof body === 'object' ? { 'content-type': on.dialect.jsonType } : {};
  writeHead(on, status, { 'content-length': String(Buffer.byteLength(text)), ...type, ...headers });
  on.entry.wrote(text);
  on.response.end(on.entry.method === 'HEAD' ? '' : text);
}

/** Headers that the engine always sends are added; the order is theirs, then ours. */
export function writeHead(on: Conversation, status: number, headers: Readonly<Record<string, string>>): void {
  const { dialect, response } = on;
  if (status >= 400 && dialect.closesOnError) response.shouldKeepAlive = false;
  // Node would advertise its own idle time, which undici obeys.
  else if (!dialect.advertisesKeepAlive && response.shouldKeepAlive) response.removeHeader('connection');
  response.writeHead(status, { ...dialect.headers, ...headers });
  response.flushHeaders();
}

export function streamHeaders(on: Conversation): Readonly<Record<string, string>> {
  return on.entry.json['stream'] === true ? on.dialect.streamHeaders : { 'content-type': on.dialect.jsonType };
}

/** Ends the connection as told, without ending the message. */
export function breakOff({ entry, socket }: Conversation, how: 'fin' | 'reset'): void {
  entry.end('cut');
  if (how === 'reset') socket.resetAndDestroy();
  else socket.destroySoon();
}

/** Waits its turn when `ms` is 0, so that two writes are two. */
export async function wait(ms: number, signal: AbortSignal): Promise<void> {
  if (ms > 0) await setTimeout(ms, undefined, { signal });
  else await setImmediate(undefined, { signal });
}

export function forever(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const stop = (): void => reject(new Error('hung up'));
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
}

/** Waits while the peer does not read. */
export async function write({ entry, response, signal }: Conversation, bytes: Buffer | string): Promise<void> {
  entry.wrote(bytes);
  if (response.write(bytes)) return;
  await new Promise<void>((resolve, reject) => {
    const go = (): void => {
      signal.removeEventListener('abort', stop);
      resolve();
    };
    const stop = (): void => {
      response.off('drain', go);
      reject(new Error('hung up'));
    };
    response.once('drain', go);
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
  });
}

async function sendRaw(on: Conversation, parts: readonly RawPart[], ending: 'fin' | 'reset' | 'open'): Promise<void> {
  for (const part of parts) {
    if (typeof part === 'number') await wait(part, on.signal);
    else on.socket.write(part);
  }
  if (ending === 'open') return forever(on.signal);
  await wait(0, on.signal);
  breakOff(on, ending);
}

async function sendEndless(on: Conversation, of: 'events' | 'one-event' | 'bytes'): Promise<never> {
  const filler = 'e'.repeat(16_384);
  writeHead(on, 200, of === 'bytes' ? { 'content-type': on.dialect.jsonType } : on.dialect.streamHeaders);
  const event = { choices: [{ index: 0, delta: { content: filler }, finish_reason: null }] };
  const piece = of === 'events' ? `data: ${JSON.stringify(event)}\n\n` : filler;
  if (of === 'one-event') await write(on, 'data: ');
  for (;;) {
    await write(on, piece);
    await wait(0, on.signal);
  }
}

/** Whether the request asked for something under `stream_options`. */
export function wantsUsage({ entry }: Conversation): boolean {
  const options = entry.json['stream_options'];
  return isJson(options) && options['include_usage'] === true;
}
