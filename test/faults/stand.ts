// One router process with its scripted engines, and a caller that keeps account of what it has sent and read.
import { expect } from 'vitest';
import type { RouterProcess } from '../support/router-process.ts';
import type { ScriptedEngine } from '../support/scripted-engine.ts';
import { type JournalEntry, parsed } from '../support/scripted/journal.ts';
import type { Json } from '../support/scripted/dialect.ts';
import type { ScriptedEngineOptions } from '../support/scripted/settings.ts';
import { question, type Read, readAll } from '../system/caller.ts';
import { type SystemTest, secrets } from '../system/of-test.ts';
import { Metrics } from './readings.ts';

export interface EngineWishes extends Partial<ScriptedEngineOptions> {
  /** Fields of its entry below `backends`. */
  readonly backend?: Json;
}

export interface StandWishes {
  /** Their backends are named a, b, c …; one unless said. */
  readonly engines?: readonly EngineWishes[];
  /** Engines of the case, which others may use too and of which `others` says how they are reached. */
  readonly behind?: readonly ScriptedEngine[];
  /** Whole entries below `backends`, of what is no engine of its own. */
  readonly others?: readonly Json[];
  /** `first`: the first backend gets whatever it can take. Even unless said. */
  readonly prefer?: 'first';
  readonly timeouts?: Json;
  readonly circuit?: Json;
  /** Of the one key there is then; `limitedKey` is the header to send. */
  readonly limits?: Json;
  readonly server?: Json;
  /** Further sections of the fleet file. */
  readonly fleet?: Json;
  readonly env?: Readonly<Record<string, string>>;
  /** How many descriptors the router may have. */
  readonly openFiles?: number;
  /** True unless said: `/readyz` is 200 before anything is sent. */
  readonly waitUntilReady?: boolean;
}

export interface AskOptions {
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Instead of a chat. */
  readonly body?: string | Uint8Array<ArrayBuffer>;
  readonly signal?: AbortSignal;
}

export interface Answer extends Read {
  readonly id: string;
  readonly status: number;
  readonly headers: Headers;
  /** Of the envelope, or of the last event. */
  readonly errorType: string | undefined;
}

export const limitedKey = { authorization: `Bearer ${secrets.key}` };
const tenant = 'limited';
/** For cases about time limits; in all others a busy machine must not bring them into play. */
export const hasty = { connect: '1s', first_byte: '1500ms', first_byte_plain: '1500ms', gap: '1500ms', total: '20s' };
let stands = 0;
const names = ['a', 'b', 'c', 'd', 'e', 'f'];

/** Probes so rare that only live traffic and half-open circuits decide. */
const defaults = {
  probe: { interval: '60s', timeout: '1s', up_after: 1, down_after: 3 },
  timeouts: { connect: '20s', first_byte: '30s', first_byte_plain: '30s', gap: '30s', total: '60s' },
};

export class Stand {
  readonly router: RouterProcess;
  readonly engines: readonly ScriptedEngine[];
  readonly #shared: readonly ScriptedEngine[];
  readonly #prefix = `stand${++stands}-`;
  /** Where one was written for it. */
  file: FleetFile | undefined = undefined;
  /** Requests that the router must account for. */
  sent = 0;
  /** Requests that may be seen once more by an engine than attempts were counted: a kept connection was closed. */
  silentTries = 0;
  /** Attempts that may have ended before anything of them reached an engine. */
  unseenAttempts = 0;
  /** False: its backends are inside of it and keep no journal. */
  journals = true;
  /** Every stream that was read. */
  readonly streams = new Set<Answer>();

  constructor(router: RouterProcess, engines: readonly ScriptedEngine[], shared: readonly ScriptedEngine[] = []) {
    this.router = router;
    this.engines = engines;
    this.#shared = shared;
  }

  get url(): string {
    return this.router.url;
  }

  engine(n: number): ScriptedEngine {
    const engine = this.engines[n];
    if (engine === undefined) throw new Error(`there is no engine ${n}`);
    return engine;
  }

  /** What engines have seen of this router. */
  get posts(): readonly JournalEntry[] {
    const own = this.engines.flatMap(({ posts }) => posts);
    const shared = this.#shared.flatMap(({ posts }) => posts);
    return [...own, ...shared.filter(({ headers }) => headers['x-request-id']?.toString().startsWith(this.#prefix))];
  }

  metrics(): Promise<Metrics> {
    return Metrics.of(this.url);
  }

  /** Sends a chat and resolves at its head; the body is the caller's to read. */
  open(more: Json = {}, { path = '/v1/chat/completions', headers = {}, body, signal }: AskOptions = {}) {
    this.sent += 1;
    const id = this.#prefix + this.sent;
    return fetch(this.url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-request-id': id, ...headers },
      body: body ?? JSON.stringify({ ...question, ...more }),
      redirect: 'manual',
      ...(signal === undefined ? {} : { signal }),
    });
  }

  /** Sends a chat, or what is given instead, and reads the answer to its end. */
  async ask(more: Json = {}, options: AskOptions = {}): Promise<Answer> {
    return this.read(await this.open(more, options));
  }

  /** Streamed. */
  stream(more: Json = {}, options: AskOptions = {}): Promise<Answer> {
    return this.ask({ stream: true, ...more }, options);
  }

  /** The case has compared its bytes itself: an engine that was told bytes does not know what of them is the body. */
  compared(answer: Answer): void {
    this.streams.delete(answer);
  }

  async read(response: Response): Promise<Answer> {
    const answer = answerOf(response, await readAll(response));
    if (response.headers.get('content-type')?.startsWith('text/event-stream') === true) this.streams.add(answer);
    return answer;
  }
}

function answerOf({ status, headers }: Response, read: Read): Answer {
  const { bytes, events } = read;
  const last = parsed(events.length === 0 ? bytes : Buffer.from(events.at(-1) ?? ''));
  const error = last?.['error'];
  const type = typeof error === 'object' && error !== null && 'type' in error ? error.type : undefined;
  const errorType = typeof type === 'string' ? type : undefined;
  return { id: headers.get('x-request-id') ?? '', status, headers, ...read, errorType };
}

/** A busy machine must not make a router refuse what a case is not about. */
const calm = { overload: { event_loop_delay: 'off' } };

/** The fleet file as it stands, for those that write another one. */
export interface FleetFile {
  readonly path: string;
  readonly fleet: Json & { readonly backends: readonly Json[] };
}

/** Starts engines and the router in front of them. */
export async function startStand(test: SystemTest, wishes: StandWishes = {}): Promise<Stand> {
  const wanted = wishes.engines ?? [{}];
  const started = await Promise.all(wanted.map((options) => test.engine(options)));
  const backends = started.map((engine, n) => ({
    name: names[n] ?? `e${n}`,
    engine: wanted[n]?.imitates ?? 'vllm',
    url: engine.url,
    ...(wishes.prefer === 'first' && n === 0 ? { weight: 1000 } : {}),
    ...wanted[n]?.backend,
  }));
  const fleet = fleetOf([...backends, ...(wishes.others ?? [])], wishes);
  // JSON is YAML.
  const path = test.file(JSON.stringify(fleet));
  const env = { THE_KEY: secrets.key, ...wishes.env };
  const limits = wishes.openFiles === undefined ? {} : { openFiles: wishes.openFiles };
  const router = await test.serve(['--config', path], { env, ...limits });
  if (wishes.waitUntilReady !== false) await ready(router);
  const stand = new Stand(router, started, wishes.behind);
  stand.file = { path, fleet };
  return stand;
}

function fleetOf(backends: readonly Json[], wishes: StandWishes): FleetFile['fleet'] {
  const { timeouts, circuit, limits, server, fleet } = wishes;
  return {
    version: 1,
    defaults: {
      ...defaults,
      timeouts: { ...defaults.timeouts, ...timeouts },
      ...(circuit === undefined ? {} : { circuit }),
    },
    backends,
    ...(limits === undefined ? {} : { auth: { keys: [{ tenant, key: '${THE_KEY}', limits }] } }),
    ...fleet,
    server: { ...calm, ...server },
  };
}

export async function ready({ url }: RouterProcess): Promise<void> {
  const status = async () => (await fetch(`${url}/readyz`)).status;
  await expect.poll(status, { interval: 20, timeout: 10_000 }).toBe(200);
}
