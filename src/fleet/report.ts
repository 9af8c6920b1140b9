// What the router tells about itself: the shape of `GET /fleet` and `GET /explain` on the admin listener, which the status
// page and the CLI read. Names are the file's own (snake_case); times are RFC 3339; `null` means: not known, or there is none.
import type { Health } from '../engines/engine.ts';
import type { Capabilities } from './capabilities.ts';
import type { CircuitState } from './circuit.ts';

export interface FleetReport {
  readonly switchyard: { readonly version: string; readonly node: string; readonly started_at: string };
  /** When this was read. */
  readonly now: string;
  readonly phase: 'starting' | 'ready' | 'stopping' | 'closing';
  /** A model has no usable backend, the newest fleet file was refused, or shared state is away: what an operator should look at. */
  readonly attention: readonly string[];
  readonly config: ConfigReport;
  readonly shared_state: { readonly up: boolean; readonly on_failure: string } | null;
  readonly traffic: TrafficReport;
  /** In the order of the fleet file. */
  readonly backends: readonly BackendReport[];
  /** In the order of `GET /v1/models`. */
  readonly models: readonly ModelReport[];
  readonly tenants: readonly TenantReport[];
  /** Newest first. */
  readonly failures: readonly FailureReport[];
  /** Newest first; where there are many a second, a sample of them. */
  readonly decisions: readonly DecisionReport[];
}

export interface ConfigReport {
  /** A path, or how it was given otherwise. */
  readonly source: string;
  /** 12 hex digits. */
  readonly hash: string;
  readonly loaded_at: string;
  /** Where the newest file was refused and an older one runs: the lines that `check` prints. */
  readonly refused: { readonly at: string; readonly problems: readonly string[] } | null;
}

/** Since the start; rates are differences of two reports. */
export interface TrafficReport {
  readonly requests: number;
  /** Of these, those that a backend or the router failed: neither `ok`, nor the caller's own fault, nor hung up. */
  readonly failed: number;
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly in_flight: number;
  readonly waiting: number;
  /** Of the last ten minutes, oldest first; no part of the ETag. */
  readonly history: {
    readonly every_seconds: number;
    readonly requests: readonly number[];
    readonly failed: readonly number[];
    readonly input_tokens: readonly number[];
    readonly output_tokens: readonly number[];
  };
}

export interface BackendReport {
  readonly name: string;
  /** `auto` until it was found out. */
  readonly engine: string;
  readonly url: string | null;
  readonly weight: number;
  /** One word for people, the worst of what follows: `up`, `down`, `ejected`, `stalled`, `draining`, … */
  readonly state: string;
  readonly admin_state: 'enabled' | 'draining' | 'disabled';
  readonly health: Health | 'unknown';
  /** The worst of its members. */
  readonly circuit: CircuitState;
  readonly stalled: boolean;
  readonly in_flight: number;
  /** Null: no bound. */
  readonly max_in_flight: number | null;
  /** As the engine reports them. */
  readonly running: number | null;
  readonly waiting: number | null;
  /** 0 to 1. */
  readonly kv_cache: number | null;
  /** Milliseconds, streams of the last five minutes. */
  readonly ttft_p50_ms: number | null;
  readonly ttft_p95_ms: number | null;
  /** Attempts since the start, and those of them that it failed. */
  readonly attempts: number;
  readonly failed: number;
  readonly models: readonly string[];
  /** What is wrong, in a few words: `connection refused`, `HTTP 503 at /health`. */
  readonly problem: string | null;
  readonly last_change: { readonly at: string; readonly what: string } | null;
}

export interface ModelReport {
  readonly name: string;
  readonly aliases: readonly string[];
  readonly policy: string;
  readonly capabilities: Capabilities;
  /** Tokens; the largest of its members. */
  readonly context: number | null;
  readonly members: readonly MemberReport[];
  /** Members that can take a request now. */
  readonly available: number;
  /** So many are out that all are tried. */
  readonly panic: boolean;
  readonly queue: { readonly length: number; readonly max_length: number; readonly max_wait_seconds: number };
  readonly fallback: { readonly no_backend: readonly string[]; readonly overloaded: readonly string[] };
}

export interface MemberReport {
  readonly backend: string;
  /** The backend's own name for the model. */
  readonly name: string;
  readonly weight: number;
  readonly context: number | null;
  readonly usable: boolean;
  readonly circuit: CircuitState;
  /** Why it is not usable: `down`, `circuit open, tried again in 4 s`, `busy for 2 s`. */
  readonly why: string | null;
}

export interface TenantReport {
  readonly tenant: string;
  readonly requests: number;
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly limits: readonly LimitReport[];
}

export interface LimitReport {
  /** A field of `limits`, such as `requests_per_minute`. */
  readonly limit: string;
  /** Whose: `key 2`, `all keys`, or the name of a model; never a key. */
  readonly of: string;
  readonly used: number;
  readonly allowed: number;
}

export interface FailureReport {
  readonly at: string;
  readonly request_id: string;
  /** `attempt`: another backend was asked afterwards. */
  readonly kind: 'request' | 'attempt';
  readonly endpoint: string;
  readonly tenant: string;
  readonly model: string | null;
  readonly backend: string | null;
  /** A row of the table of errors, such as `first_byte_timeout`; never a message. */
  readonly error: string;
  readonly source: 'caller' | 'gateway' | 'backend';
  readonly status: number;
}

export interface DecisionReport {
  readonly at: string;
  readonly request_id: string;
  readonly attempt: number;
  readonly queued_ms: number;
  readonly explanation: Explanation;
}

/** Why a request goes where it goes. */
export interface Explanation {
  /** Canonical name; the model that answers, which a fallback may have changed. */
  readonly model: string;
  readonly endpoint: string;
  readonly policy: string;
  /** Null: nobody. */
  readonly winner: string | null;
  /** In one sentence. */
  readonly why: string;
  /** In the order in which they would be asked; those that are excluded last. */
  readonly candidates: readonly CandidateReport[];
}

export interface CandidateReport {
  readonly backend: string;
  readonly verdict: 'winner' | 'next' | 'full' | 'excluded';
  /** Of the others what the score is made of, where the policy tells. Of `full` and `excluded`: `2 of 2 in flight`, `draining`, `cannot do tools`, `context of 8192 tokens, 12000 needed`. */
  readonly why: string | null;
  /** What the policy goes by, smaller is better; null where it goes by none. */
  readonly score: number | null;
  readonly in_flight: number;
  readonly max_in_flight: number | null;
  readonly weight: number;
}
