// A redis-server (or valkey-server) as a child process in a directory of its own, without persistence: what it holds is
// gone when it ends. Knows nothing of tests: they start it through server.ts and of-test.ts.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { type Certificates, makeCertificates } from './certificates.ts';
import { freePort } from './free-port.ts';
import { guard } from './guard.ts';
import { adminLogin, type RedisOptions, writeSettings } from './settings.ts';

const readyWithinMs = 10_000;
const endsWithinMs = 1_000;
const attempts = 5;
const ready = /Ready to accept connections|Sentinel ID is/;
const portTaken = /Address already in use|Failed listening on port/;

export interface TlsOptions {
  readonly tls?: { readonly ca: string };
}

export class RedisServer {
  readonly port: number;
  /** Holds its configuration and certificates; `dispose` removes it. */
  readonly dir: string;
  readonly #binary: string;
  readonly #options: RedisOptions;
  readonly #tls: Certificates | undefined;
  readonly #configuration: string;
  #child: ChildProcess | undefined;
  #ended: Promise<void> = Promise.resolve();
  #frozen = false;
  #log = '';

  private constructor(binary: string, port: number, dir: string, options: RedisOptions, tls: Certificates | undefined) {
    this.#binary = binary;
    this.port = port;
    this.dir = dir;
    this.#options = options;
    this.#tls = tls;
    this.#configuration = writeSettings(dir, port, options, tls);
  }

  /** Resolves when it accepts connections. @throws Error with its log when it does not. */
  static async start(binary: string, options: RedisOptions = {}): Promise<RedisServer> {
    for (let attempt = 1; ; attempt++) {
      const dir = mkdtempSync(join(tmpdir(), 'switchyard-redis-'));
      let server: RedisServer | undefined;
      try {
        const tls = options.tls === true ? await makeCertificates(dir) : undefined;
        server = new RedisServer(binary, options.port ?? (await freePort()), dir, options, tls);
        await server.#spawn();
        return server;
      } catch (cause) {
        rmSync(dir, { recursive: true });
        const again = options.port === undefined && attempt < attempts && portTaken.test(server?.log ?? '');
        if (!again) throw cause;
      }
    }
  }

  /** With the login of the user it was given, if any. */
  get url(): string {
    const { auth } = this.#options;
    const login = auth === undefined ? '' : `${auth.user?.name ?? ''}:${encodeURIComponent(auth.password)}@`;
    return `${this.#tls === undefined ? 'redis' : 'rediss'}://${login}127.0.0.1:${this.port}`;
  }

  get running(): boolean {
    return this.#child !== undefined;
  }

  /** Runs, and is not frozen. */
  get answers(): boolean {
    return this.running && !this.#frozen;
  }

  get pid(): number {
    const { pid } = this.#living();
    if (pid === undefined) throw new Error('it never started');
    return pid;
  }

  /** Everything it printed, over all its lives. */
  get log(): string {
    return this.#log;
  }

  get caFile(): string | undefined {
    return this.#tls?.caFile;
  }

  /** What ioredis needs beside the URL: trust in its certificate. */
  get clientOptions(): TlsOptions {
    return this.#tls === undefined ? {} : { tls: { ca: readFileSync(this.#tls.caFile, 'utf8') } };
  }

  /** Runs one command as someone who may do everything, on a connection of its own. Waits for as long as it is frozen. */
  async command(name: string, ...args: readonly (string | number)[]): Promise<unknown> {
    const client = new Redis({
      host: '127.0.0.1',
      port: this.port,
      ...adminLogin(this.#options),
      ...this.clientOptions,
      protocol: 2,
      lazyConnect: true,
      enableReadyCheck: false,
      disableClientInfo: true,
      maxRetriesPerRequest: 0,
      retryStrategy: () => null,
    });
    client.on('error', () => {});
    try {
      await client.connect();
      return await client.call(name, [...args]);
    } finally {
      client.disconnect();
    }
  }

  /** It keeps its connections and the kernel keeps accepting, but nothing is answered. */
  freeze(): void {
    this.#living().kill('SIGSTOP');
    this.#frozen = true;
  }

  thaw(): void {
    this.#living().kill('SIGCONT');
    this.#frozen = false;
  }

  /** As a crash, frozen or not. Resolves when it has ended. */
  async kill(): Promise<void> {
    this.#child?.kill('SIGKILL');
    await this.#ended;
  }

  /** Asks it to end, as an operator would, and makes sure of it. */
  async stop(): Promise<void> {
    this.#child?.kill('SIGTERM');
    await Promise.race([this.#ended, wait(endsWithinMs, undefined, { ref: false })]);
    await this.kill();
  }

  /** On the same port with the same settings, and empty; kills it first if it runs. */
  async restart(): Promise<void> {
    await this.kill();
    // A replica keeps there what it received.
    rmSync(join(this.dir, 'dump.rdb'), { force: true });
    await this.#spawn();
  }

  /** Its end: nothing of it is left. */
  async dispose(): Promise<void> {
    await this.kill();
    rmSync(this.dir, { recursive: true, force: true });
  }

  #living(): ChildProcess {
    if (this.#child === undefined) throw new Error(`the Redis on port ${this.port} is not running`);
    return this.#child;
  }

  async #spawn(): Promise<void> {
    const mode = this.#options.sentinel === undefined ? [] : ['--sentinel'];
    const child = spawn(this.#binary, [this.#configuration, ...mode], { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child = child;
    this.#frozen = false;
    guard(child);
    const { promise: ended, resolve: end } = Promise.withResolvers<void>();
    const { promise: accepts, resolve: accept } = Promise.withResolvers<void>();
    this.#ended = ended;
    const from = this.#log.length;
    const note = (text: string): void => {
      this.#log += text;
      if (ready.test(this.#log.slice(from))) accept();
    };
    child.stdout.setEncoding('utf8').on('data', note);
    child.stderr.setEncoding('utf8').on('data', note);
    child.on('error', (cause) => note(cause.message));
    child.on('close', () => {
      if (this.#child === child) this.#child = undefined;
      end();
    });
    const outcome = await Promise.race([
      accepts.then(() => 'ready'),
      ended.then(() => 'ended'),
      wait(readyWithinMs, `not ready within ${readyWithinMs} ms`, { ref: false }),
    ]);
    if (outcome === 'ready') return;
    await this.kill();
    throw new Error(`${this.#binary} did not start (${outcome}):\n${this.#log.slice(from)}`);
  }
}
