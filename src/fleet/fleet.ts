// All that fleet.yaml describes, decoded and immutable: durations in milliseconds, sizes in bytes, secrets resolved.
// What is learnt at run time lives in backend-state; nothing here changes once loaded.
import type { EngineName } from '../engines/index.ts';
import type { Capabilities } from './capabilities.ts';
import type { Group } from './discovery.ts';
import type { LeastCostSettings } from './least-cost-settings.ts';
import type { MetricsSettings } from './metrics-settings.ts';
import type { OverloadSettings } from './overload-settings.ts';
import type { SharedStateSettings } from './shared-state.ts';
import type { BackendTls, ServerTls } from './tls.ts';

export interface Fleet {
  readonly server: ServerSettings;
  /** Absent: there is no admin listener. */
  readonly admin?: AdminSettings;
  readonly auth: AuthSettings;
  /** In the fleet that runs, those that were found stand behind those of the file. */
  readonly backends: readonly Backend[];
  /** Entries whose backends are found at run time. */
  readonly groups: readonly Group[];
  /** By public name, in the order of the file. */
  readonly models: ReadonlyMap<string, ModelSettings>;
  readonly routing: RoutingSettings;
  readonly logging: LoggingSettings;
  readonly metrics: MetricsSettings;
  /** Absent: the router itself sends no traces anywhere. */
  readonly tracing?: TracingSettings;
  /** What replicas share; absent: there is one replica, and everything stays in memory. */
  readonly sharedState?: SharedStateSettings;
}

export interface ServerSettings {
  readonly listen: Address;
  /** Threads that serve; `auto`: as many as there are cores. */
  readonly workers: number | 'auto';
  /** Whether `/metrics` answers on the main port. */
  readonly metrics: boolean;
  readonly maxBodyBytes: number;
  readonly drainDelayMs: number;
  readonly drainTimeoutMs: number;
  /** Request headers passed on beside the built-in allow-list; lower case. */
  readonly forwardHeaders: readonly string[];
  /** In which words answers tell what is left of the limits. */
  readonly rateLimitHeaders: 'openai' | 'ietf' | 'both';
  readonly overload: OverloadSettings;
  /** Absent: callers speak plain HTTP. */
  readonly tls?: ServerTls;
}

export interface AdminSettings {
  readonly listen: Address;
  /** False where nobody has chosen the address: then the router also starts without it. */
  readonly isChosen: boolean;
  /** Names that may stand in the Host header beside IP addresses; lower case. */
  readonly allowedHosts: readonly string[];
  /** SHA-256 of the token, 64 lower-case hex digits; absent: whatever changes something is refused. */
  readonly tokenSha256?: string;
  readonly tls?: ServerTls;
}

export interface Address {
  /** Without brackets: `127.0.0.1`, `::1`, `localhost`. */
  readonly host: string;
  /** 0 asks the system for a free port. */
  readonly port: number;
}

export interface AuthSettings {
  readonly mode: 'none' | 'keys';
  readonly keys: readonly ApiKey[];
  /** By the name of the tenant, `default` (API_KEYS) and `anonymous` (no authentication) included. */
  readonly tenants: ReadonlyMap<string, TenantSettings>;
  /** Most output tokens taken from an allowance before an answer; what it really cost is booked at its end. */
  readonly maxReservedOutputTokens: number;
}

export interface TenantSettings {
  /** For all its keys together. */
  readonly limits?: Limits;
  /** By canonical model name; for this tenant they stand in for the limits of the model. */
  readonly modelLimits: ReadonlyMap<string, Limits>;
}

/** What may be used in a time; absent means no bound. Every field > 0. */
export interface Limits {
  readonly requestsPerMinute?: number;
  /** Input and output together. */
  readonly tokensPerMinute?: number;
  readonly inputTokensPerMinute?: number;
  readonly outputTokensPerMinute?: number;
  readonly requestsPerDay?: number;
  readonly tokensPerDay?: number;
  /** Requests at the same time. */
  readonly concurrent?: number;
  /** How much of a minute's allowance may be used at once; absent: all of it. */
  readonly burst?: { readonly requests?: number; readonly tokens?: number };
}

/** Classes in the waiting room, first served first. */
export const priorities = ['high', 'normal', 'low'] as const;
export type Priority = (typeof priorities)[number];

export interface ApiKey {
  readonly tenant: string;
  /** SHA-256 of the key, 64 lower-case hex digits; the key itself is not kept. */
  readonly sha256: string;
  /** Globs of model names this key may use; absent means all. */
  readonly models?: readonly string[];
  /** Unix milliseconds after which the key no longer counts. */
  readonly expiresAtMs?: number;
  /** For this key alone, beside those of its tenant. */
  readonly limits?: Limits;
  /** In the waiting room; absent: `normal`. */
  readonly priority?: Priority;
  /** Share in the waiting room, > 0; absent: 1. */
  readonly weight?: number;
}

export interface Backend {
  /** Unique and stable: the identity of the backend and its metric label. */
  readonly name: string;
  readonly engine: EngineName | 'auto';
  /** `http://host:port` or `https://host:port`, without a trailing slash; absent only for the engine `simulated`. */
  readonly url?: string;
  /** Relative capacity, > 0. */
  readonly weight: number;
  readonly state: 'enabled' | 'draining' | 'disabled';
  /** Public names this backend serves; absent means: ask the backend. */
  readonly models?: readonly string[];
  /** Most requests in flight at once; `auto`: learnt; absent: what the backend says, if it does. */
  readonly maxInFlight?: number | 'auto';
  /** Sent to the backend as `Authorization: Bearer`. */
  readonly bearer?: string;
  /** Absent: what Node trusts, and no certificate of ours. */
  readonly tls?: BackendTls;
  /** Said by the operator; wins over discovery. */
  readonly capabilities?: Capabilities;
  /** Context length in tokens, said by the operator; wins over discovery. */
  readonly contextTokens?: number;
  readonly usage: 'auto' | 'force';
  /** Absent fields mean: what suits the engine. */
  readonly probe: ProbeSettings;
  readonly timeouts: Timeouts;
  /** How long nothing may come from it while requests are in flight; 0: for ever. */
  readonly stallAfterMs: number;
  readonly circuit: CircuitSettings;
  readonly simulate?: SimulateSettings;
}

export interface ProbeSettings {
  readonly intervalMs?: number;
  readonly timeoutMs?: number;
  readonly upAfter: number;
  readonly downAfter: number;
}

export interface Timeouts {
  readonly connectMs: number;
  /** Dispatch to commit, streams. */
  readonly firstByteMs: number;
  /** Dispatch to the head of the reply, plain replies. */
  readonly firstBytePlainMs: number;
  /** Between data events after commit. */
  readonly gapMs: number;
  /** The whole exchange, all attempts included. */
  readonly totalMs: number;
}

export interface CircuitSettings {
  readonly consecutive: number;
  readonly windowMs: number;
  readonly minRequests: number;
  /** 0 to 1. */
  readonly failureRatio: number;
  readonly openForMs: number;
  readonly growth: number;
  readonly openMaxMs: number;
}

export interface SimulateSettings {
  readonly models: readonly string[];
  readonly firstTokenMs: number;
  readonly tokensPerSecond: number;
}

export interface ModelSettings {
  readonly aliases: readonly string[];
  /** Backend name → the name that backend knows the model under. */
  readonly backendNames: ReadonlyMap<string, string>;
  readonly capabilities?: Capabilities;
  readonly contextTokens?: number;
  readonly timeouts?: Partial<Timeouts>;
  /** For each tenant by itself. */
  readonly limits?: Limits;
  readonly queue?: Partial<QueueSettings>;
  /** Names of models that take its requests, in this order, by why its own members can't. */
  readonly fallback?: Readonly<Record<FallbackCause, readonly string[]>>;
  /** Whether another backend may go on with a stream that breaks; absent: no. */
  readonly continuation?: boolean;
}

/** Nobody who could take it is up, or everybody who could is full: the words of the errors that come otherwise. */
export const fallbackCauses = ['no_backend', 'overloaded'] as const;
export type FallbackCause = (typeof fallbackCauses)[number];

export interface RoutingSettings {
  /** A key of the table in src/selection/policies. */
  readonly policy: string;
  readonly queue: QueueSettings;
  /** When more than this share of a model's members is out, all of them are tried: 0 to 1; 1: never. */
  readonly panicRatio: number;
  /** How long a member that has come back gets less than its share; 0: not at all. */
  readonly slowStartMs: number;
  readonly leastCost: LeastCostSettings;
  /** How many requests of a model may be on a second try, as a part of those on their first: 0 to 1; three always may, with 1 all. */
  readonly retryBudgetRatio: number;
}

/** Requests that wait for a slot. */
export interface QueueSettings {
  /** For one model; 0: nobody waits. */
  readonly maxLength: number;
  readonly maxWaitMs: number;
  /** Whether streams that wait, here or for their first token, are told so in comments, for which their head leaves early. */
  readonly comments: boolean;
}

export interface TracingSettings {
  /** Where a collector takes traces (OTLP over HTTP). */
  readonly url: string;
  /** Of the requests whose caller does not say, the share that is followed: 0 to 1. */
  readonly sampleRatio: number;
}

export interface LoggingSettings {
  readonly level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';
  readonly format: 'auto' | 'json' | 'pretty';
  /** Which finished requests get a line. */
  readonly access: 'all' | 'errors' | 'none';
}
