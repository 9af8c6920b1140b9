// The command line as a process of its own: its two outputs, its ending, and a clean environment. Tests start it through
// test/system/of-test.ts, which ends what a test leaves running.
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { join, resolve } from 'node:path';

export const root = resolve(import.meta.dirname, '../..');

export interface ProcessOptions {
  /** Added to the environment of the test, less what the router itself would read from there. */
  readonly env?: Readonly<Record<string, string>>;
  /** The root of the repository unless said. */
  readonly cwd?: string;
  /** What comes on standard input; empty unless said. */
  readonly input?: string;
  /** How many descriptors it may have; as many as the test unless said. */
  readonly openFiles?: number;
}

export interface Ending {
  /** Null when a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export class RouterProcess {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #watchers = new Set<() => void>();
  #stdout = '';
  #stderr = '';
  #ending: Ending | undefined;
  /** Resolves when it has ended and everything it wrote has been read. */
  readonly ended: Promise<Ending>;

  constructor(args: readonly string[], { env = {}, cwd = root, input = '', openFiles }: ProcessOptions = {}) {
    const limited = openFiles === undefined ? [] : ['sh', '-c', `ulimit -n ${openFiles} && exec "$0" "$@"`];
    const [command = '', ...words] = [...limited, process.execPath, join(root, 'src/main.ts'), ...args];
    const child = spawn(command, words, {
      cwd,
      // Many routers run at once, and they must not fight for one port.
      env: { ...cleanEnv(), SWITCHYARD_ADMIN_LISTEN: 'off', ...env },
    });
    this.#child = child;
    const { promise, resolve: settle } = Promise.withResolvers<Ending>();
    this.ended = promise;
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.#stdout += text;
      this.#changed();
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text;
      this.#changed();
    });
    child.on('error', (cause) => {
      this.#stderr += cause.message;
    });
    child.on('close', (code, signal) => {
      this.#ending = { code, signal };
      settle(this.#ending);
      this.#changed();
    });
    // It may end without reading.
    child.stdin.on('error', () => {});
    child.stdin.end(input);
  }

  get stdout(): string {
    return this.#stdout;
  }

  get stderr(): string {
    return this.#stderr;
  }

  get running(): boolean {
    return this.#ending === undefined;
  }

  /** Where it serves: the first address on its standard output, without a path. */
  get url(): string {
    const [url] = /https?:\/\/[^\s/]+/.exec(this.#stdout) ?? [];
    if (url === undefined) throw new Error(`no address in ${JSON.stringify(this.#stdout)}`);
    return url;
  }

  /** Of the admin listener, where a test has asked for one. */
  get adminUrl(): string {
    const [, url] = /Status: +(https?:\/\/[^\s/]+)/.exec(this.#stdout) ?? [];
    if (url === undefined) throw new Error(`no admin address in ${JSON.stringify(this.#stdout)}`);
    return url;
  }

  get port(): number {
    return Number(new URL(this.url).port);
  }

  /** The lines of standard error, each parsed; throws when one is not JSON. */
  get log(): readonly unknown[] {
    return linesOf(this.#stderr).map((line): unknown => JSON.parse(line));
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** Resolves once the condition holds. @throws Error when the process ends before. */
  async when(holds: (self: RouterProcess) => boolean): Promise<void> {
    if (holds(this)) return;
    const { promise, resolve: settle, reject } = Promise.withResolvers<void>();
    const look = (): void => {
      if (holds(this)) settle();
      else if (!this.running) reject(new Error(`ended too early (${JSON.stringify(this.#ending)}): ${this.#stderr}`));
    };
    this.#watchers.add(look);
    look();
    await promise.finally(() => this.#watchers.delete(look));
  }

  async kill(): Promise<Ending> {
    if (this.running) this.signal('SIGKILL');
    return this.ended;
  }

  #changed(): void {
    for (const look of this.#watchers) look();
  }
}

export function linesOf(text: string): readonly string[] {
  return text.split('\n').filter((line) => line !== '');
}

/** Whatever the machine of the developer has set must not decide a test. */
function cleanEnv(): NodeJS.ProcessEnv {
  const foreign = /^(SWITCHYARD_|OPENAI_|API_KEYS$|LOG_LEVEL$|NODE_|VITEST|TEST$|FORCE_COLOR$|NO_COLOR$)/;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !foreign.test(name)));
}
