// From what went wrong with an attempt to the error that says so.
import type { Gone } from '../admission/gone.ts';
import type { HeaderMap, Judgement, Usage, Verdict } from '../engines/engine.ts';
import { type ErrorCode, GatewayError } from '../errors.ts';
import { describeTlsTrouble, tlsTroubleOf } from '../fleet/tls.ts';
import type { Candidate } from '../selection/policy.ts';
import type { TimeLimit } from './attempt-timers.ts';
import type { HeaderList, TransportFailure } from './ports.ts';

const codes = {
  serve: 'backend_broken',
  busy: 'backend_busy',
  loading: 'backend_busy',
  'wrong-model': 'backend_unsuited',
  unsupported: 'backend_unsuited',
  overflow: 'backend_unsuited',
  caller: 'backend_rejected',
  misconfigured: 'backend_misconfigured',
  broken: 'backend_error',
} as const satisfies Record<Verdict, ErrorCode>;

/** The status to answer with when a backend put its error into a 200. */
const statuses = {
  serve: 502,
  busy: 503,
  loading: 503,
  'wrong-model': 404,
  unsupported: 501,
  overflow: 400,
  caller: 400,
  misconfigured: 502,
  broken: 502,
} as const satisfies Record<Verdict, number>;

/** An error of one attempt, with the engine's verdict where a backend has answered. */
export class AttemptFailure {
  readonly error: GatewayError;
  readonly judgement: Judgement | undefined;
  readonly retryAfterMs: number | undefined;
  /** Output tokens in the reply that is thrown away with it. */
  readonly lostTokens: number | undefined;

  constructor(error: GatewayError, judgement?: Judgement, retryAfterMs?: number, lostTokens?: number) {
    this.error = error;
    this.judgement = judgement;
    this.retryAfterMs = retryAfterMs;
    this.lostTokens = lostTokens;
  }
}

export interface BackendReply {
  readonly status: number;
  readonly headers: HeaderMap;
  readonly body: Buffer;
  readonly usage: Usage | undefined;
}

/** A backend's own error reply, which passes through as sent when nobody can better it. */
export function replied(
  candidate: Candidate,
  judgement: Judgement,
  { status, headers, body, usage }: BackendReply,
): AttemptFailure {
  const code = codes[judgement.verdict];
  const answered = status >= 200 && status < 300 ? statuses[judgement.verdict] : status;
  const message = `Backend "${candidate.backend.name}" answered ${status} (${judgement.verdict}).`;
  const asSent = { status: answered, headers: passedHeaders(headers), body };
  const error = new GatewayError(code, message, { asSent });
  return new AttemptFailure(error, judgement, retryAfterMs(headers), usage?.outputTokens);
}

/** An error event in place of a stream: its JSON becomes a plain body. */
export function streamedError(
  candidate: Candidate,
  failure: Judgement & { readonly status: number },
  data: string,
): AttemptFailure {
  const message = `Backend "${candidate.backend.name}" answered with an error event (${failure.verdict}).`;
  const asSent = {
    status: failure.status,
    headers: [['content-type', 'application/json']] as const,
    body: Buffer.from(data),
  };
  return new AttemptFailure(new GatewayError(codes[failure.verdict], message, { asSent }), failure);
}

/** The engine's own error event after commit: the caller has it already. */
export function streamedErrorAfterCommit(candidate: Candidate, failure: Judgement): AttemptFailure {
  const message = `Backend "${candidate.backend.name}" ended its stream with an error (${failure.verdict}).`;
  return new AttemptFailure(new GatewayError('backend_error', message), { verdict: 'broken' });
}

/** `usage`: of the reply that is thrown away, where it is one. */
export function broken(candidate: Candidate, what: string, usage?: Usage): AttemptFailure {
  const error = new GatewayError('backend_broken', `Backend "${candidate.backend.name}" ${what}.`);
  return new AttemptFailure(error, undefined, undefined, usage?.outputTokens);
}

export function transportFailed(candidate: Candidate, failure: TransportFailure): AttemptFailure {
  const { kind, code: transportCode } = failure;
  const [code, what] =
    kind === 'broken'
      ? (['backend_broken', 'broke the connection before its answer was complete'] as const)
      : (['backend_unreachable', 'could not be reached'] as const);
  const { name } = candidate.backend;
  const trouble = kind === 'broken' ? undefined : tlsTroubleOf(transportCode);
  const message =
    trouble === undefined ? `Backend "${name}" ${what} (${transportCode}).` : `${describeTlsTrouble(name, trouble)}.`;
  return new AttemptFailure(new GatewayError(code, message, { transportCode }));
}

export function timedOut(candidate: Candidate, code: TimeLimit, ms: number): AttemptFailure {
  const what = {
    connect_timeout: 'accepted no connection',
    first_byte_timeout: 'did not begin to answer',
    gap_timeout: 'fell silent in the middle of its answer',
    total_timeout: 'was not done',
  }[code];
  return new AttemptFailure(
    new GatewayError(code, `Backend "${candidate.backend.name}" ${what} within ${ms / 1000} s.`),
  );
}

/** Response headers that pass from a backend to the caller. */
const passed = ['content-type', 'cache-control', 'retry-after'];

export function passedHeaders(headers: HeaderMap): HeaderList {
  const list: [string, string][] = [];
  for (const name of passed) {
    const value = headers[name];
    if (value !== undefined) list.push([name, name === 'retry-after' ? bounded(value) : value]);
  }
  return list;
}

/** Longer than the router itself stays away from a backend, nobody has to; SDKs take longer times for none. */
function bounded(retryAfter: string): string {
  return /^\d+$/.test(retryAfter) && Number(retryAfter) > mostRetryAfterSeconds
    ? `${mostRetryAfterSeconds}`
    : retryAfter;
}

const mostRetryAfterSeconds = 60;

/** `Retry-After` in milliseconds where it is given in seconds; dates are not used by any engine. */
function retryAfterMs(headers: HeaderMap): number | undefined {
  const value = headers['retry-after'];
  return value !== undefined && /^\d{1,6}$/.test(value) ? Number(value) * 1000 : undefined;
}

/** Mostly the caller; at the end of a drain it is the router that lets go, and says so. */
export function whyGone({ reason }: Gone): GatewayError {
  return reason instanceof GatewayError ? reason : new GatewayError('client_closed', 'The caller hung up.');
}
