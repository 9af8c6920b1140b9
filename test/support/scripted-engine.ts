// A test double for inference servers: an HTTP server on loopback that imitates one engine's wire behaviour and fails
// on demand. Behaviours are in scripted/behaviours.ts, each engine's facts in a file of its own beside it.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { contextOf } from './scripted/decide.ts';
import type { Dialect, Health, ScriptedModel, World } from './scripted/dialect.ts';
import { dialects } from './scripted/dialects.ts';
import { Entry, type JournalEntry } from './scripted/journal.ts';
import type { Conversation } from './scripted/perform.ts';
import { type Script, type Scripted, scripted } from './scripted/script.ts';
import { serve } from './scripted/serve.ts';
import { modelsOf, type ScriptedEngineOptions } from './scripted/settings.ts';
import { Slots } from './scripted/slots.ts';

/** Listens when the promise resolves, except while `loading` on an engine that then refuses. */
export async function startScriptedEngine(options: ScriptedEngineOptions): Promise<ScriptedEngine> {
  const engine = new ScriptedEngine(options);
  await engine.listen();
  await engine.setHealth(options.health ?? 'up');
  return engine;
}

export class ScriptedEngine {
  readonly #options: ScriptedEngineOptions;
  readonly #dialect: Dialect;
  readonly #server: Server;
  readonly #slots: Slots;
  #journal: Entry[] = [];
  readonly #sockets = new Map<Socket, number>();
  readonly #overrides = new Map<string, Scripted>();
  readonly #watchers = new Set<() => void>();
  #script: Scripted = scripted([]);
  #models: readonly ScriptedModel[];
  #health: Health = 'up';
  #port = 0;
  #requests = 0;
  #connections = 0;
  #tokensOut = 0;

  constructor(options: ScriptedEngineOptions) {
    this.#options = options;
    this.#dialect = dialects[options.imitates];
    this.#models = modelsOf(options, this.#dialect);
    this.#slots = new Slots(options.slots ?? Infinity, () => this.#changed());
    this.#port = options.port ?? 0;
    this.#server = createServer({
      keepAliveTimeout: options.keepAliveMs ?? this.#dialect.keepAliveMs,
      maxHeaderSize: 1 << 20,
    });
    // Node would wait a second longer than told.
    this.#server.keepAliveTimeoutBuffer = 0;
    this.#server.requestTimeout = 0;
    this.#server.headersTimeout = 0;
    this.#server.maxRequestsPerSocket = this.#dialect.requestsPerConnection ?? 0;
    this.#server.on('connection', (socket) => this.#connected(socket));
    this.#server.on('request', (request, response) => void this.#serve(request, response));
  }

  get host(): string {
    return this.#options.host ?? '127.0.0.1';
  }

  get port(): number {
    return this.#port;
  }

  get url(): string {
    return `http://${this.host}:${this.#port}`;
  }

  /** Every request, in order of arrival, probes included. */
  get journal(): readonly JournalEntry[] {
    return this.#journal;
  }

  /** The POST requests of the journal. */
  get posts(): readonly JournalEntry[] {
    return this.#journal.filter(({ method }) => method === 'POST');
  }

  /** POST requests that have not ended. */
  get inFlight(): number {
    return this.posts.filter(({ ending }) => ending === 'open').length;
  }

  /** POST requests whose peer hung up before the reply was whole. */
  get abortsSeen(): number {
    return this.posts.filter(({ ending }) => ending === 'aborted').length;
  }

  get openConnections(): number {
    return this.#sockets.size;
  }

  get running(): number {
    return this.#slots.running;
  }

  /** Requests in line for a slot. */
  get waiting(): number {
    return this.#slots.waiting;
  }

  /** Drops what has ended from the journal: it would grow for as long as the engine runs. */
  forget(): void {
    this.#journal = this.#journal.filter(({ ending }) => ending === 'open');
  }

  /** For the POST endpoints. */
  respond(script: Script): void {
    this.#script = scripted(script);
  }

  /** For one path, whatever the method; an empty list takes it back. */
  override(path: string, script: Script): void {
    this.#overrides.set(path, scripted(script));
  }

  setModels(models: NonNullable<ScriptedEngineOptions['models']>): void {
    this.#models = modelsOf({ ...this.#options, models }, this.#dialect);
  }

  /** `loading` refuses connections where the engine does, and any other state listens again. */
  async setHealth(health: Health): Promise<void> {
    this.#health = health;
    if (health === 'loading' && this.#dialect.refusesWhileLoading) await this.refuse();
    else await this.listen();
    this.#changed();
  }

  /** Stops listening; idle connections close, requests under way go on. */
  async refuse(): Promise<void> {
    if (!this.#server.listening) return;
    this.#server.close();
    this.#server.closeIdleConnections();
  }

  /** As if the process were killed: stops listening and resets every connection. */
  async crash(): Promise<void> {
    await this.refuse();
    this.#drop((socket) => socket.resetAndDestroy());
  }

  /** Listens again on the port it had. */
  async listen(): Promise<void> {
    if (this.#server.listening) return;
    this.#server.listen(this.#port, this.host);
    await once(this.#server, 'listening');
    const address = this.#server.address();
    if (typeof address === 'object' && address !== null) this.#port = address.port;
  }

  /** Resolves once the condition holds; looked at whenever a request moves on or a connection closes. */
  async when(holds: (engine: ScriptedEngine) => boolean): Promise<void> {
    if (holds(this)) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const look = (): void => {
      if (holds(this)) resolve();
    };
    this.#watchers.add(look);
    await promise.finally(() => this.#watchers.delete(look));
  }

  /** Ends every connection and timer; resolves when all are gone. */
  async close(): Promise<void> {
    await this.refuse();
    this.#drop((socket) => socket.destroy());
    await this.when(() => this.#sockets.size === 0 && this.#journal.every(({ ending }) => ending !== 'open'));
  }

  #drop(end: (socket: Socket) => void): void {
    for (const entry of this.#journal) entry.end('stopped');
    for (const socket of this.#sockets.keys()) end(socket);
  }

  #changed(): void {
    for (const look of this.#watchers) look();
  }

  #connected(socket: Socket): void {
    this.#connections += 1;
    this.#sockets.set(socket, this.#connections);
    socket.on('error', () => {});
    socket.once('close', () => {
      this.#sockets.delete(socket);
      this.#changed();
    });
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { socket } = request;
    const entry = new Entry(++this.#requests, this.#sockets.get(socket) ?? 0, request);
    this.#journal.push(entry);
    const gone = new AbortController();
    response.once('close', () => {
      entry.end(response.writableFinished ? 'completed' : 'aborted');
      gone.abort();
      this.#changed();
    });
    this.#changed();
    try {
      entry.body = Buffer.concat(await request.toArray());
      entry.received = true;
      this.#changed();
      await serve(this.#conversation(entry, response, gone.signal), {
        options: this.#options,
        told: () => this.#overrides.get(entry.path)?.(entry),
        toldForPost: () => this.#script(entry),
        awake: () => this.when(() => gone.signal.aborted || this.#health !== 'asleep'),
      });
    } catch (cause) {
      // Hung up meanwhile: everything that waited has been told. Anything else is a mistake in a test.
      if (!gone.signal.aborted && !socket.destroyed) response.destroy(cause instanceof Error ? cause : undefined);
    }
  }

  #conversation(entry: Entry, response: ServerResponse, signal: AbortSignal): Conversation {
    const world = this.#world();
    return {
      entry,
      response,
      socket: response.req.socket,
      signal,
      dialect: this.#dialect,
      world,
      slots: this.#slots,
      context: contextOf(world, entry),
      count: (tokens) => {
        this.#tokensOut += tokens;
      },
    };
  }

  #world(): World {
    return {
      models: this.#models,
      health: this.#health,
      running: this.#slots.running,
      waiting: this.#slots.waiting,
      slots: this.#options.slots ?? Infinity,
      kvUsage: this.#options.kvUsage ?? 0,
      tokensOut: this.#tokensOut,
    };
  }
}
