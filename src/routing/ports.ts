// What the pipeline needs from the outside: sockets towards backends, the caller's answer, and somebody who watches.
import type { Gone } from '../admission/gone.ts';
import type { Endpoint } from '../endpoints/endpoint.ts';
import type { Backend, FallbackCause } from '../fleet/fleet.ts';
import type { GatewayError, Outcome } from '../errors.ts';
import type { HeaderMap, Usage } from '../engines/engine.ts';
import type { Foreseen } from '../selection/placement/charge.ts';

export type HeaderList = readonly (readonly [name: string, value: string])[];

/** Of every event stream that callers get. */
export const eventStreamHeaders: HeaderList = [
  ['content-type', 'text/event-stream'],
  ['cache-control', 'no-cache, no-transform'],
  ['x-accel-buffering', 'no'],
];

export interface UpstreamRequest {
  /** Below the backend's URL, beginning with a slash. */
  readonly path: string;
  readonly headers: HeaderList;
  readonly body: Buffer;
}

export interface Upstream {
  /** Starts one request on a socket of its own. The handler hears exactly one `ended` or `failed`, and nothing after `abort`. */
  send(backend: Backend, request: UpstreamRequest, handler: UpstreamHandler): UpstreamCall;
}

/** Called synchronously as bytes arrive. */
export interface UpstreamHandler {
  /** A connection stands and the request is being written. */
  connected(): void;
  head(status: number, headers: HeaderMap): void;
  data(chunk: Buffer): void;
  ended(): void;
  failed(failure: TransportFailure): void;
}

export interface UpstreamCall {
  /** Closes the socket, also one that is still connecting. Idempotent; `closed` runs when it really is. */
  abort(closed?: () => void): void;
  pause(): void;
  resume(): void;
}

export interface TransportFailure {
  /** `unreachable`: no connection came about. `broken`: there was one, and it ended badly or did not speak HTTP. */
  readonly kind: 'unreachable' | 'broken';
  /** A short word such as ECONNREFUSED; never text that a backend sent. */
  readonly code: string;
}

/** The answer to the caller. Nothing leaves before `begin`. */
export interface Reply {
  /** Aborted when the caller hangs up. */
  readonly gone: Gone;
  /** Whether something of an answer may have left. */
  readonly committed: boolean;
  /** Whether the head of an event stream has left. */
  readonly opened: boolean;
  /** Sends the head of an event stream before there is an answer, once; nothing is committed by it. */
  open(): void;
  /** A comment line between events; only in a stream that is open. */
  comment(text: string): void;
  /** Sends status and headers, unless a head has left: then both must be those of an event stream. */
  begin(status: number, headers: HeaderList): Sink;
  /**
   * Ends what has begun so that the caller can't mistake it for a complete answer: a stream with a last event that tells
   * the error, anything else with a cut. Without effect when nothing has begun, or it is complete.
   */
  fail(error: GatewayError): void;
}

export interface Sink {
  /** False: the caller reads more slowly than we write; wait for `onDrain`. */
  write(bytes: Buffer): boolean;
  /** Runs once, when there is room again. */
  onDrain(resume: () => void): void;
  /** `last`: what is still to be written, and leaves together with whatever has not left yet. */
  end(last?: Buffer): void;
}

export interface AttemptEnded {
  readonly requestId: string;
  readonly endpoint: string;
  readonly tenant: string;
  readonly backend: string;
  readonly model: string;
  /** Canonical name of the model asked for, for which `model` may stand in, and what has chosen the backend. */
  readonly asked?: string | undefined;
  readonly policy?: string | undefined;
  readonly attempt: 'first' | 'retry';
  readonly result: Outcome;
  /** Absent: it went well. */
  readonly error: GatewayError | undefined;
  readonly durationMs: number;
  /** From its start until there was a connection to write on; absent: none came about. */
  readonly connectMs?: number | undefined;
  /** Of a stream that the backend has left without its end when something had left for the caller: its own, or the rest of another's. */
  readonly broke?: 'stream' | 'continuation' | undefined;
  /** From its start to the first content, where this attempt has brought that; streams only. */
  readonly firstTokenMs: number | undefined;
  /** Output tokens that had come and that nobody was given, because it failed before anything left. */
  readonly lostTokens: number;
  /** What was expected when its backend was chosen; absent: nothing. And what of the prompt it held by its own account. */
  readonly foreseen?: Foreseen | undefined;
  readonly cachedTokens?: number | undefined;
}

/** Canonical name of the model that was asked in place of another one. */
export interface StandIn {
  readonly model: string;
  readonly cause: FallbackCause;
}

export interface ExchangeSettled {
  readonly requestId: string;
  readonly endpoint: string;
  readonly tenant: string;
  /** Canonical name; undefined when no known model was named. */
  readonly model: string | undefined;
  /** The backend of the last attempt. */
  readonly backend: string | undefined;
  /** What runs there. */
  readonly engine?: string | undefined;
  /** What chooses backends for its model; absent: it did not get as far. */
  readonly policy?: string | undefined;
  readonly attempts: number;
  /** Absent: the model asked for has answered, or none. */
  readonly standIn?: StandIn | undefined;
  /** How often another backend went on with its stream; absent: there was no need. */
  readonly continued?: number | undefined;
  /** Why the backend before the last one could not serve it; absent: there was none, or the last could not either. */
  readonly failedOver?: Outcome | undefined;
  readonly outcome: Outcome;
  readonly error: GatewayError | undefined;
  readonly status: number;
  readonly stream: boolean;
  readonly durationMs: number;
  /** In the waiting room. */
  readonly queuedMs: number;
  /** From the last byte of the request to the end of reading it; absent here and below: it did not come to that. */
  readonly parseMs?: number | undefined;
  /** Up to the router itself before and between attempts: reading, limits, choice; without the waiting room. */
  readonly routeMs?: number | undefined;
  /** Of the last attempt. */
  readonly connectMs?: number | undefined;
  /** From the bytes that decided on the answer until the first of it was handed on. */
  readonly relayMs?: number | undefined;
  /** Arrival to the first content of a stream, or to the first byte of any other answer. */
  readonly ttftMs?: number | undefined;
  /** Arrival to the first content sent; streams only. */
  readonly firstTokenMs: number | undefined;
  /** As the backend reported it. */
  readonly usage: Usage | undefined;
  /** Content-bearing events relayed. */
  readonly contentEvents: number;
  /** Admitted without what the replicas share. */
  readonly limitsDegraded: boolean;
  /** Absent: nobody follows it. */
  readonly traceId?: string | undefined;
}

export interface Observer {
  attempted(event: AttemptEnded): void;
  /** A caller has hung up, and this much later the socket to the backend that worked for it was closed. */
  letGo(afterMs: number): void;
  settled(event: ExchangeSettled): void;
}

/** Follows one request from the caller to its last token. Told as things happen; it changes nothing. */
export interface Trace {
  /** 32 hex digits. */
  readonly id: string;
  /** It has stood in the waiting room until now. */
  waited(ms: number): void;
  attempt(at: AttemptAt): AttemptTrace;
  /** Only the first time counts. */
  ended(event: ExchangeSettled): void;
}

/** `headers`: of the request as it came. */
export type TraceStart = (
  headers: Readonly<Record<string, string | readonly string[] | undefined>>,
  endpoint: Pick<Endpoint, 'name' | 'path'>,
) => Trace;

export interface AttemptAt {
  readonly backend: Backend;
  /** Canonical name. */
  readonly model: string;
  /** From 1. */
  readonly number: number;
}

export interface AttemptTrace {
  /** Tell the backend where its own part belongs, in place of what the caller has told. */
  readonly headers: HeaderList;
  connected(): void;
  firstToken(): void;
  ended(outcome: Outcome): void;
}

/** What the pipeline asks for when a backend has shown that it changed. */
export interface Rediscovery {
  /** Asks a backend for its models again, soon; does not wait. */
  refresh(backend: string): void;
}
