// What a scripted engine can be told to do with a request, as data; perform.ts does it. Numbers of events count every
// `data:` event of a stream, the role chunk included. Delays are milliseconds and 0 unless said.
import type { FaultName, Json, Reply, ToolCall } from './dialect.ts';

export type Behaviour =
  | Answer
  | Fault
  | ({ readonly kind: 'reply' } & Reply)
  | { readonly kind: 'hang'; readonly after: 'nothing' | 'head' }
  | { readonly kind: 'hang-up'; readonly how: 'fin' | 'reset'; readonly after: 'nothing' | 'head' }
  | { readonly kind: 'raw'; readonly parts: readonly RawPart[]; readonly ending: 'fin' | 'reset' | 'open' }
  | { readonly kind: 'endless'; readonly of: 'events' | 'one-event' | 'bytes' };

/** Bytes to write, or milliseconds to wait. */
export type RawPart = string | Buffer | number;

/** The engine's own good answer, with what is given here changed. */
export interface Answer extends AnswerOptions {
  readonly kind: 'answer';
}

export interface AnswerOptions {
  /** Content, one event each; a plain answer joins them. */
  readonly pieces?: readonly string[];
  /** Instead of `pieces`: so many numbered ones (`t1 `, `t2 ` …). 3 unless said. */
  readonly count?: number;
  readonly finishReason?: string;
  readonly tool?: ToolCall;
  readonly promptTokens?: number;
  readonly usage?: 'asked' | 'always' | 'never';
  /** The `model` field; what the engine would put there unless said. */
  readonly model?: string;
  /** `asked`: a stream if the request wants one. */
  readonly shape?: 'asked' | 'stream' | 'plain';
  /** Before anything. */
  readonly delayMs?: number;
  /** Between head and first content where the engine sends the head early, else before both. */
  readonly firstMs?: number;
  /** Between two events, or two pieces when `split` is given. */
  readonly gapMs?: number;
  readonly headAt?: 'once' | 'slot' | 'first-token';
  readonly headers?: Readonly<Record<string, string>>;
  /** Interim responses before the real one. */
  readonly interim?: readonly (100 | 103)[];
  /** `close`: no length, the end of the connection ends the body. */
  readonly transfer?: 'chunked' | 'length' | 'close';
  readonly failAfter?: FailAfter;
  readonly cut?: Cut;
  readonly framing?: Framing;
  /** A comment line before each event. */
  readonly commentBetween?: boolean;
  /** Comment lines on a timer; the engine's own period unless said, 0 for none. */
  readonly commentEveryMs?: number;
}

export interface FailAfter {
  readonly events: number;
  /** The engine's own error event, or this one. */
  readonly fault: FaultName | Json;
  /** Whether `[DONE]` follows; what the engine does unless said. */
  readonly done?: boolean;
}

export interface Cut {
  readonly after: number;
  /** `data:` events of a stream, or bytes of the body. */
  readonly of: 'events' | 'bytes';
  /** end: a clean end of the body · fin, reset: the connection, without the last chunk · stall: silence until hung up */
  readonly how: 'end' | 'fin' | 'reset' | 'stall';
}

export interface Framing {
  readonly lineEnd?: '\n' | '\r\n' | '\r';
  readonly byteOrderMark?: boolean;
  /** The body's bytes leave in pieces of so many, or cut at these places, instead of one write per event. */
  readonly split?: number | readonly number[];
}

export interface Fault {
  readonly kind: 'fault';
  readonly fault: FaultName;
  /** As the engine does, or always as a status, or as the first event of a 200. */
  readonly as: 'engine' | 'status' | 'event';
  readonly headers?: Readonly<Record<string, string>>;
}

export function answer(options: AnswerOptions = {}): Answer {
  return { kind: 'answer', ...options };
}

/** A failure in this engine's own status, shape and words. */
export function fault(name: FaultName, options: Partial<Pick<Fault, 'as' | 'headers'>> = {}): Fault {
  return { kind: 'fault', fault: name, as: 'engine', ...options };
}

/** Any status, headers and body. */
export function reply(status: number, body?: Reply['body'], headers: Readonly<Record<string, string>> = {}): Behaviour {
  return { kind: 'reply', status, headers, ...(body === undefined ? {} : { body }) };
}

export function redirect(location: string, status = 307): Behaviour {
  return reply(status, undefined, { location });
}

export function html(status = 200): Behaviour {
  return reply(status, '<!doctype html><title>Welcome</title><p>nginx</p>', {
    'content-type': 'text/html; charset=utf-8',
  });
}

/** A 200 whose body is empty. */
export function emptyReply(contentType = 'application/json'): Behaviour {
  return reply(200, '', { 'content-type': contentType });
}

/** An error as the first event of a 200. */
export function errorEvent(what: FaultName | Json = 'internal', options: ErrorOptions = {}): Answer {
  return errorAfter(0, what, options);
}

interface ErrorOptions extends AnswerOptions {
  /** Whether `[DONE]` follows; what the engine does unless said. */
  readonly done?: boolean;
}

export function errorAfter(events: number, what: FaultName | Json = 'internal', options: ErrorOptions = {}): Answer {
  const { done, ...rest } = options;
  const failAfter = { events, fault: what, ...(done === undefined ? {} : { done }) };
  return answer({ count: Math.max(events, 3), ...rest, failAfter });
}

/** The stream breaks off after so many events: by default with a FIN and without the last chunk. */
export function diesAfter(events: number, how: Cut['how'] = 'fin', options: AnswerOptions = {}): Answer {
  return answer({ count: events + 1, ...options, cut: { after: events, of: 'events', how } });
}

/** Nothing more comes after so many events, and the connection stays open. */
export function stallsAfter(events: number, options: AnswerOptions = {}): Answer {
  return diesAfter(events, 'stall', options);
}

/** The body breaks off after so many bytes. */
export function cutAfterBytes(bytes: number, how: Cut['how'] = 'fin', options: AnswerOptions = {}): Answer {
  return answer({ ...options, cut: { after: bytes, of: 'bytes', how } });
}

/** One byte at a time. */
export function drip(gapMs: number, options: AnswerOptions = {}): Answer {
  return answer({ ...options, gapMs, framing: { ...options.framing, split: 1 } });
}

export function split(every: number | readonly number[], options: AnswerOptions = {}): Answer {
  return answer({ ...options, framing: { ...options.framing, split: every } });
}

/** How vLLM ends what runs while it shuts down: a 200 that says `abort`. */
export function aborted(pieces: readonly string[] = []): Answer {
  return answer({ pieces, finishReason: 'abort' });
}

export function hugeHeader(bytes = 20_480): Answer {
  return answer({ headers: { 'x-huge': 'h'.repeat(bytes) } });
}

export function oneHugeEvent(bytes: number): Answer {
  return answer({ pieces: ['h'.repeat(bytes)] });
}

export function hang(after: 'nothing' | 'head' = 'nothing'): Behaviour {
  return { kind: 'hang', after };
}

/** Closes or resets the connection before any byte of the reply, or right behind its head. */
export function hangUp(how: 'fin' | 'reset' = 'fin', after: 'nothing' | 'head' = 'nothing'): Behaviour {
  return { kind: 'hang-up', how, after };
}

/** A body that never ends: whole events, one event without an end, or bytes of no structure. */
export function endless(of: 'events' | 'one-event' | 'bytes' = 'events'): Behaviour {
  return { kind: 'endless', of };
}

/** Bytes written to the socket as they are. */
export function raw(parts: RawPart | readonly RawPart[], ending: 'fin' | 'reset' | 'open' = 'fin'): Behaviour {
  return { kind: 'raw', parts: typeof parts === 'object' && !Buffer.isBuffer(parts) ? parts : [parts], ending };
}

export function garbageStatusLine(): Behaviour {
  return raw('HTPP/9.9 banana\r\n\r\n');
}

/** Both lengths at once, which RFC 9112 section 6.1 calls a smuggling attempt. */
export function lengthAndChunked(body = '{"ok":true}'): Behaviour {
  const head = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n';
  const chunk = `${Buffer.byteLength(body).toString(16)}\r\n${body}\r\n0\r\n\r\n`;
  return raw(`${head}Content-Length: ${Buffer.byteLength(body)}\r\nTransfer-Encoding: chunked\r\n\r\n${chunk}`);
}

/** Declares a length that is `off` bytes from the truth. */
export function wrongLength(off: number, body = '{"ok":true}'): Behaviour {
  const length = Buffer.byteLength(body) + off;
  return raw(`HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\n${body}`);
}
