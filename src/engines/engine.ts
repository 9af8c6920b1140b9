// How to speak to one kind of inference server: pure descriptions, no I/O. Facts come from each engine's own source.
import type { Capabilities, Capability, EndpointName } from '../fleet/capabilities.ts';

export interface Engine {
  readonly name: string;
  /** Endpoints this engine has at all; others are refused with 501 before a backend is asked. */
  readonly endpoints: ReadonlySet<EndpointName>;
  /** `ignored`: any model name is served by the one model loaded, so the name sent is the one it announces. */
  readonly modelNames: 'checked' | 'ignored';
  /** Where `include_usage` puts a usage into every event, so that it can't be asked for behind a caller's back. */
  readonly usageInEveryEvent?: ReadonlySet<EndpointName>;
  /**
   * How it is asked to go on with an answer that has begun elsewhere; absent: it can't be.
   * `chat`: what stands last in `messages` is continued, as a matter of course or where a flag asks for it.
   * `completions`: the prompt is taken as it is, without a template around it.
   */
  readonly resumes?: {
    readonly chat?: 'continue_final_message' | 'last_message';
    readonly completions?: true;
  };
  /** What whoever starts it should know; advice for people, nothing goes by it. */
  readonly setup?: {
    /** Where it usually listens. */
    readonly ports: readonly number[];
    /** How to have it tell its load, where it does not by itself. */
    readonly load?: string;
    /** How other machines get to reach it, where it listens for its own only. */
    readonly network?: string;
  };
  /** Path of an endpoint on this engine. */
  path(endpoint: EndpointName): string;
  /** Judges a whole reply; `body` holds at most its first 64 KiB. `value`: all of it as JSON, where that was read already. Never throws. */
  judge(status: number, headers: HeaderMap, body: Buffer, value?: unknown): Judgement;
  /** Reads the data of one event of a stream (its `data:` lines joined): content, error, usage, end. Never throws. */
  readEvent(data: string): EventReading;
  readonly probes: {
    readonly health: Probe<Health>;
    readonly models: Probe<readonly DiscoveredModel[] | undefined>;
    readonly load?: Probe<LoadReading | undefined>;
  };
}

/** Header names in lower case; repeated headers joined with `, `. */
export type HeaderMap = Readonly<Record<string, string | undefined>>;

/**
 * serve: a good answer · busy: full, back off · loading: not ready yet, back off · wrong-model: model is not here ·
 * unsupported: this server can't do what was asked · overflow: prompt beyond its context · caller: the caller's fault ·
 * misconfigured: the fleet's credential is refused · broken: the backend failed
 */
export type Verdict =
  | 'serve'
  | 'busy'
  | 'loading'
  | 'wrong-model'
  | 'unsupported'
  | 'overflow'
  | 'caller'
  | 'misconfigured'
  | 'broken';

export interface Judgement {
  readonly verdict: Verdict;
  /** For `unsupported`: what it can't do, where the reply tells. */
  readonly capability?: Capability;
  /** For `unsupported`: the engine's own way to say that it has no such path. */
  readonly missingRoute?: true;
}

export interface EventReading {
  /** Something a caller would miss: content, reasoning, a tool call, audio, a refusal, or a final finish_reason. */
  readonly content: boolean;
  /** `data: [DONE]`. */
  readonly done: boolean;
  /** An error event, or `finish_reason: "abort"`. `status` is the one to answer with when nothing was sent yet. */
  readonly failure?: Judgement & { readonly status: number };
  readonly usage?: Usage;
  /** The event carries usage and no choices: the extra event of `include_usage`. */
  readonly usageOnly: boolean;
}

/** Tokens as the engine reports them. */
export interface Usage {
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cachedInputTokens?: number;
  readonly reasoningTokens?: number;
}

/** Free GETs, asked in this order, and how to read the answers. `undefined` stands for an answer that did not come. */
export interface Probe<Reading> {
  readonly paths: readonly string[];
  /** Pure; never throws. Answers stand in the order of `paths`. */
  read(answers: readonly (ProbeAnswer | undefined)[]): Reading;
  /** What suits this engine, milliseconds. */
  readonly intervalMs: number;
  readonly timeoutMs: number;
}

export interface ProbeAnswer {
  readonly status: number;
  readonly headers: HeaderMap;
  readonly body: string;
}

/** `down` includes: did not answer. */
export type Health = 'up' | 'loading' | 'asleep' | 'misconfigured' | 'down';

export interface DiscoveredModel {
  /** The backend's own name for it. */
  readonly id: string;
  /** Other names the same backend accepts for it; not published. */
  readonly aliases?: readonly string[];
  readonly contextTokens?: number;
  readonly can: Capabilities;
  /** Parallel requests the backend runs at once, where it tells. */
  readonly slots?: number;
  /** Tokens that its KV cache has room for, where it tells that with its models. */
  readonly kvTokens?: number;
}

export interface LoadReading {
  readonly running: number;
  readonly waiting: number;
  /** 0 to 1. */
  readonly kvUsage?: number;
  /** Tokens that its KV cache has room for, where it tells that with its load. */
  readonly kvTokens?: number;
}
