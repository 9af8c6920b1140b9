// Every way a request can fail, as data: status, source, retry and blame are look-ups in one table.
// What turns an error into bytes lives in http/error-response; nothing here formats anything.

type Row = {
  /** The category callers see in the envelope, and the `outcome` word in logs and metrics. */
  readonly type: string;
  readonly status: number;
  /** Whose error it is. */
  readonly source: 'caller' | 'gateway' | 'backend';
  /** Whether another backend may be tried while nothing of the answer has left: never, always, or once. */
  readonly elsewhere: 'no' | 'yes' | 'once';
  /** Whether the circuit of the backend counts it as a failure. */
  readonly blames: boolean;
  /** Sent as `x-should-retry`, which the OpenAI SDKs obey. Left out: the SDK's own rules. */
  readonly shouldRetry?: boolean;
  /** Seconds sent as `Retry-After` when the error brings none of its own. */
  readonly retryAfterSeconds?: number;
};

const caller = { source: 'caller', elsewhere: 'no', blames: false } as const;
const gateway = { source: 'gateway', elsewhere: 'no', blames: false } as const;
const backend = { source: 'backend', elsewhere: 'yes', blames: true } as const;

export const errorTable = {
  invalid_request: { ...caller, type: 'invalid_request', status: 400 },
  method_not_allowed: { ...caller, type: 'invalid_request', status: 405 },
  request_timeout: { ...caller, type: 'invalid_request', status: 408 },
  unsupported_media_type: { ...caller, type: 'invalid_request', status: 415 },
  expectation_failed: { ...caller, type: 'invalid_request', status: 417 },
  headers_too_large: { ...caller, type: 'invalid_request', status: 431 },
  unauthorized: { ...caller, type: 'unauthorized', status: 401 },
  forbidden: { ...caller, type: 'forbidden', status: 403 },
  model_not_found: { ...caller, type: 'model_not_found', status: 404 },
  not_found: { ...caller, type: 'not_found', status: 404 },
  request_too_large: { ...caller, type: 'request_too_large', status: 413 },
  // The SDKs try every 5xx again, and this one will not change.
  unsupported: { ...caller, type: 'unsupported', status: 501, shouldRetry: false },
  rate_limit_exceeded: { ...caller, type: 'rate_limit_exceeded', status: 429, retryAfterSeconds: 1 },
  client_closed: { ...caller, type: 'client_closed', status: 499 },
  overloaded: { ...gateway, type: 'overloaded', status: 503, retryAfterSeconds: 1 },
  no_backend: { ...gateway, type: 'no_backend', status: 503, retryAfterSeconds: 5 },
  limiter_unavailable: { ...gateway, type: 'limiter_unavailable', status: 503, retryAfterSeconds: 1 },
  draining: { ...gateway, type: 'draining', status: 503, shouldRetry: true, retryAfterSeconds: 1 },
  // A fleet that leads to itself will do so again.
  loop_detected: { ...gateway, type: 'loop_detected', status: 508, shouldRetry: false },
  total_timeout: { ...gateway, type: 'backend_timeout', status: 504, shouldRetry: false },
  internal: { ...gateway, type: 'internal', status: 500 },
  backend_unreachable: { ...backend, type: 'backend_unreachable', status: 502 },
  connect_timeout: { ...backend, type: 'backend_timeout', status: 504 },
  first_byte_timeout: { ...backend, type: 'backend_timeout', status: 504, elsewhere: 'once', shouldRetry: false },
  gap_timeout: { ...backend, type: 'backend_timeout', status: 504, elsewhere: 'no' },
  backend_broken: { ...backend, type: 'backend_broken', status: 502 },
  // A backend's own error replies pass through as sent; their rows say how the router itself takes them.
  backend_busy: { ...backend, type: 'backend_busy', status: 503, blames: false },
  backend_error: { ...backend, type: 'backend_error', status: 502 },
  backend_misconfigured: { ...backend, type: 'backend_misconfigured', status: 502, blames: false },
  backend_unsuited: { ...backend, type: 'backend_rejected', status: 400, blames: false },
  backend_rejected: { ...backend, type: 'backend_rejected', status: 400, elsewhere: 'no', blames: false },
} as const satisfies Record<string, Row>;

export type ErrorCode = keyof typeof errorTable;
export type ErrorType = (typeof errorTable)[ErrorCode]['type'];
/** How an exchange ended: one set of words in logs and metrics. */
export type Outcome = 'ok' | ErrorType;

/** A reply that a backend sent and that nobody could better: passed through with its status and body. */
export interface ReplyAsSent {
  readonly status: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Buffer;
}

export interface ErrorDetails {
  /** Response headers this occurrence needs, e.g. `allow`. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Seconds until a retry makes sense; rounded up when sent. */
  readonly retryAfterSeconds?: number;
  /** The limit that was reached, and whether that was decided without what the replicas share; for the log. */
  readonly limit?: string;
  readonly limitsDegraded?: boolean;
  readonly asSent?: ReplyAsSent;
  /** What the socket has ended with, such as ECONNREFUSED. */
  readonly transportCode?: string;
  readonly cause?: unknown;
}

export class GatewayError extends Error {
  readonly code: ErrorCode;
  readonly details: ErrorDetails;

  /** `message` is for humans and names the thing: the model, the backend, the limit. Never prompt text, never keys. */
  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'GatewayError';
    this.code = code;
    this.details = details;
  }

  get row(): Row & { readonly type: ErrorType } {
    return errorTable[this.code];
  }

  /** The status callers see: the backend's own where its reply passes through. */
  get status(): number {
    return this.details.asSent?.status ?? this.row.status;
  }
}

/** Anything thrown, as a GatewayError: what is not one of ours is a bug, and says nothing about itself to callers. */
export function toGatewayError(thrown: unknown): GatewayError {
  if (thrown instanceof GatewayError) return thrown;
  return new GatewayError(
    'internal',
    'The router failed on this request. Its log has the cause under the request id.',
    {
      cause: thrown,
    },
  );
}
