// One caller request from arrival to settlement, all attempts included. Mutable, owned by one request.
import type { Estimate, Grant } from '../access/limiter.ts';
import type { Caller } from '../access/keyring.ts';
import type { InferenceFields } from '../endpoints/endpoint.ts';
import type { Usage } from '../engines/engine.ts';
import { type GatewayError, toGatewayError } from '../errors.ts';
import type { EndpointName } from '../fleet/capabilities.ts';
import type { Ask, Candidate } from '../selection/policy.ts';
import type { Continuation } from './continuation.ts';
import type { Patience } from './patience.ts';
import type { ExchangeSettled, HeaderList, Reply, StandIn, Trace } from './ports.ts';
import type { RetryShare } from './retry-budget.ts';
import { strikesOf, wasReached } from './retry.ts';
import type { Expectation, Target } from './snapshot.ts';
import { Timings } from './timings.ts';

/** A request as routing sees it: the fields that were read, and the bytes that will be forwarded. */
export interface InferenceRequest extends InferenceFields {
  readonly endpoint: EndpointName;
  readonly body: Buffer;
  /** Already chosen from the allow-list. */
  readonly headers: HeaderList;
}

/** What delivering one request needs, from the moment its target is known. */
export interface Delivery {
  readonly exchange: Exchange;
  readonly request: InferenceRequest;
  readonly target: Target;
  readonly reply: Reply;
}

export class Exchange {
  readonly id: string;
  readonly endpoint: EndpointName;
  readonly caller: Caller;
  readonly arrivedMs: number;
  readonly timings: Timings;
  /** Names of backends that have had their try. */
  readonly tried = new Set<string>();
  model: string | undefined = undefined;
  stream = false;
  grant: Grant | undefined = undefined;
  /** Who follows it. */
  trace: Trace | undefined = undefined;
  /** Where the caller is told that it waits. */
  patience: Patience | undefined = undefined;
  /** What lets another backend go on with its stream. */
  continuation: Continuation | undefined = undefined;
  /** Its part in the retry budget of its model. */
  retries: RetryShare | undefined = undefined;
  /** An estimate. */
  cost: Estimate = { inputTokens: 0, outputTokens: 0 };
  /** An estimate of what one prompt needs. */
  contextTokens = 0;
  /** What its answers usually come to, all together. */
  answerTokens = 0;
  /** Whether anything of an answer has left. */
  answered = false;
  /** In the waiting room. */
  queuedMs = 0;
  deadlineMs = Infinity;
  totalMs = Infinity;
  attempts = 0;
  /** Attempts that count against the limit. */
  strikes = 0;
  /** Whether one of them was by a backend that was there. */
  wasReached = false;
  backend: string | undefined = undefined;
  engine: string | undefined = undefined;
  policy: string | undefined = undefined;
  /** The model that takes it in place of the one asked for, and why. */
  standIn: StandIn | undefined = undefined;
  /** Set by an overflow: only members with more context than this are worth another try. */
  largerThanTokens: number | undefined = undefined;
  /** The failure of the last attempt; what the caller gets when nobody else can be tried. */
  lastFailure: GatewayError | undefined = undefined;
  firstTokenAtMs: number | undefined = undefined;
  contentEvents = 0;
  usage: Usage | undefined = undefined;
  status = 0;
  /** Whether the pipeline has booked its end. */
  settled = false;
  error: GatewayError | undefined = undefined;
  #ask: Ask | undefined = undefined;

  constructor(id: string, endpoint: EndpointName, caller: Caller, nowMs: number) {
    this.id = id;
    this.endpoint = endpoint;
    this.caller = caller;
    this.arrivedMs = nowMs;
    this.timings = new Timings(nowMs);
  }

  /** The target is known: from here on the exchange has a model and a deadline. */
  begin(target: Target, request: InferenceRequest, expected: Expectation & { readonly nowMs: number }): void {
    const { cost, contextTokens, answerTokens, nowMs } = expected;
    this.cost = cost;
    this.contextTokens = contextTokens;
    this.answerTokens = answerTokens;
    this.model = target.model.name;
    this.policy = target.policy.name;
    this.stream = request.stream;
    this.totalMs = target.totalMs;
    this.deadlineMs = nowMs + target.totalMs;
  }

  /** What a policy goes by; the same for every look. */
  askOf(request: InferenceRequest): Ask {
    this.#ask ??= {
      tenant: this.caller.tenant,
      fields: request,
      body: request.body,
      promptTokens: this.cost.inputTokens,
      answerTokens: this.answerTokens,
    };
    return this.#ask;
  }

  /** Another backend gets the next try. */
  giveUpOn(candidate: Candidate, failure: unknown): void {
    this.tried.add(candidate.backend.name);
    this.strikes += strikesOf(failure);
    this.wasReached ||= wasReached(failure);
    this.lastFailure = toGatewayError(failure);
    this.usage = undefined;
    if (this.answered) this.continuation?.break(this.lastFailure);
    else this.continuation?.forget();
  }

  /** The model that answers; undefined before one is known. */
  get served(): string | undefined {
    return this.standIn?.model ?? this.model;
  }

  /** Arrival to the first content of a stream, or to the first byte of any other answer; undefined: nothing has left. */
  get ttftMs(): number | undefined {
    return this.firstTokenAtMs === undefined ? this.timings.ttftMs : this.firstTokenAtMs - this.arrivedMs;
  }

  /** Notes how it failed; the first failure stands, and that nobody could mend a broken stream is no other one. */
  fail(cause: unknown): GatewayError {
    const error = toGatewayError(cause);
    const mends = error.row.source === 'backend' || error.code === 'no_backend' || error.code === 'overloaded';
    this.error ??= (mends ? this.continuation?.brokenBy : undefined) ?? error;
    if (this.status === 0) this.status = this.error.status;
    return this.error;
  }

  summary(nowMs: number): ExchangeSettled {
    return {
      requestId: this.id,
      endpoint: this.endpoint,
      tenant: this.caller.tenant,
      model: this.model,
      backend: this.backend,
      engine: this.engine,
      policy: this.policy,
      attempts: this.attempts,
      outcome: this.error?.row.type ?? 'ok',
      standIn: this.standIn,
      continued: this.continuation?.wasTried === true ? this.continuation.times : undefined,
      failedOver: this.error === undefined ? this.lastFailure?.row.type : undefined,
      error: this.error,
      status: this.status,
      stream: this.stream,
      durationMs: nowMs - this.arrivedMs,
      queuedMs: this.queuedMs,
      parseMs: this.timings.parseMs,
      routeMs: this.timings.routeMs(nowMs, this.queuedMs),
      connectMs: this.timings.connectMs,
      relayMs: this.timings.relayMs,
      ttftMs: this.ttftMs,
      firstTokenMs: this.firstTokenAtMs === undefined ? undefined : this.firstTokenAtMs - this.arrivedMs,
      usage: this.usage,
      contentEvents: this.contentEvents,
      limitsDegraded: this.grant?.degraded === true || this.error?.details.limitsDegraded === true,
      traceId: this.trace?.id,
    };
  }
}
