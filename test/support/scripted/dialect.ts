// What one engine says on the wire, as data and pure functions; the scripted engine asks it and does the sending.
// The facts come from the engines' own sources, at the revisions that src/engines names.

export type Json = Readonly<Record<string, unknown>>;
export type EngineKind = 'vllm' | 'sglang' | 'tgi' | 'ollama' | 'llamacpp' | 'localai' | 'openai';
export type Endpoint = 'chat' | 'completions' | 'embeddings';

/** A whole answer. A text body goes out as it is; an object as JSON; absent means empty. */
export interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Json | readonly unknown[];
}

export interface Abilities {
  readonly chat: boolean;
  readonly completions: boolean;
  readonly embeddings: boolean;
  readonly tools: boolean;
  readonly vision: boolean;
}

export interface ScriptedModel {
  readonly id: string;
  readonly contextTokens: number;
  readonly can: Abilities;
  /** A LoRA adapter of this base model (vLLM, SGLang). */
  readonly parent?: string;
  /** Whether it is in memory (Ollama's `/api/ps`, LocalAI's `/system`). */
  readonly loaded: boolean;
}

export type Health = 'up' | 'loading' | 'down' | 'hang' | 'asleep';

/** The double's own state, as the GET routes show it. */
export interface World {
  readonly models: readonly ScriptedModel[];
  readonly health: Health;
  readonly running: number;
  readonly waiting: number;
  /** Infinity when unbounded. */
  readonly slots: number;
  readonly kvUsage: number;
  readonly tokensOut: number;
}

export type FaultName =
  | 'busy'
  | 'loading'
  | 'wrong-model'
  | 'overflow'
  | 'no-tools'
  | 'no-vision'
  | 'no-embeddings'
  | 'no-completions'
  | 'unauthorized'
  | 'internal'
  | 'invalid'
  | 'bad-json';

export interface FaultContext {
  readonly model: string;
  readonly contextTokens: number;
  readonly promptTokens: number;
  readonly maxTokens: number;
}

export interface Question {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly accept: string;
  readonly world: World;
}

export interface ToolCall {
  readonly name: string;
  readonly arguments: string;
}

/** Everything one generated answer consists of, before an engine's own framing. */
export interface Turn {
  readonly endpoint: 'chat' | 'completions';
  readonly n: number;
  readonly requestId: string | undefined;
  readonly model: string;
  readonly pieces: readonly string[];
  readonly tool: ToolCall | undefined;
  readonly finish: string;
  readonly includeUsage: boolean;
  readonly promptTokens: number;
}

/** How an engine builds its chunks and plain answers; see shapes.ts. */
export interface Style {
  /** Top-level fields beside `choices` and `usage`. */
  top(turn: Turn, object: string): Json;
  /** The delta of a chunk of its own that only has the role; absent: the engine sends none. */
  readonly roleDelta?: Json;
  contentDelta(piece: string): Json;
  readonly lastDelta: Json;
  readonly choiceExtras: Json;
  readonly lastExtras: Json;
  /** Fields that every chunk but the usage chunk carries. */
  chunkExtras?(turn: Turn): Json;
  usage(promptTokens: number, completionTokens: number): Json;
  /** Top-level fields beside the usage numbers in the usage chunk and in plain answers. */
  readonly usageExtras?: Json;
  /** Tool calls arrive in one piece. */
  readonly wholeToolCalls?: boolean;
}

export interface Dialect {
  readonly name: EngineKind;
  readonly style: Style;
  /** On every answer. */
  readonly headers: Readonly<Record<string, string>>;
  readonly streamHeaders: Readonly<Record<string, string>>;
  readonly jsonType: string;
  /** When the 200 of a stream leaves. */
  readonly headAt: 'once' | 'slot' | 'first-token';
  /** Comment lines while a stream is open. */
  readonly commentEveryMs?: number;
  /** Whether `[DONE]` follows an error event. */
  readonly doneAfterError: boolean;
  /** Idle time before the server closes a connection; 0: never. */
  readonly keepAliveMs: number;
  /** Whether the `Keep-Alive` header tells so. */
  readonly advertisesKeepAlive: boolean;
  readonly requestsPerConnection?: number;
  readonly closesOnError: boolean;
  readonly refusesWhileLoading: boolean;
  readonly atCapacity: 'queue' | 'reject';
  readonly checksModel: boolean;
  readonly truncatesSilently?: boolean;
  readonly defaultCan: Partial<Abilities>;
  /** Which paths need the key. */
  guards(method: string, path: string): boolean;
  /** The name an answer carries. */
  echo(asked: string, world: World): string;
  readonly faults: Readonly<Record<FaultName, (context: FaultContext) => Reply>>;
  /** Faults that a streamed request gets as an event inside a 200. */
  readonly inStream: ReadonlySet<FaultName>;
  /** The event that reports a fault inside a stream. */
  errorEvent(fault: FaultName, context: FaultContext): Json;
  /** GET routes and other free ones; undefined: no such route. */
  route(question: Question): Reply | undefined;
  notFound(question: Question): Reply;
  wrongMethod(question: Question): Reply;
}

export const paths: Readonly<Record<Endpoint, string>> = {
  chat: '/v1/chat/completions',
  completions: '/v1/completions',
  embeddings: '/v1/embeddings',
};

/** When the double "was started": engines put such a number into `created`. */
export const created = 1_755_400_000;

export function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** One sample line of the Prometheus text format. */
export function sample(name: string, value: number, labels: Readonly<Record<string, string>> = {}): string {
  const inside = Object.entries(labels).map(([key, text]) => `${key}="${text}"`);
  return `${name}${inside.length === 0 ? '' : `{${inside.join(',')}}`} ${value}\n`;
}

export function metrics(...lines: readonly string[]): Reply {
  return { status: 200, headers: { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }, body: lines.join('') };
}

export function firstModel(world: World): ScriptedModel {
  const first = world.models[0];
  if (first === undefined) throw new Error('the scripted engine has no model');
  return first;
}
