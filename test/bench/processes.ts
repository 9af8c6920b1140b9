// Processes of a measurement: started on the cores they are given, ended by id, and their CPU time by the system's own account.
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';

export interface StartOptions {
  readonly command: string;
  readonly args: readonly string[];
  /** Added to that of this process. */
  readonly env?: Readonly<Record<string, string>>;
  /** Nothing of this process's environment but its PATH: nobody else's proxies, keys and settings. */
  readonly homeOnly?: string;
  readonly cwd?: string;
  /** Which cores it may use, as taskset has it; left out: all. */
  readonly cores?: string;
  /** Before everything else that wants its core, where the system allows that. */
  readonly punctual?: true;
}

const running = new Set<Started>();

export class Started {
  readonly #child: ChildProcess;
  output = '';
  readonly ended: Promise<number | null>;

  constructor({ command, args, env = {}, homeOnly, cwd, cores, punctual }: StartOptions) {
    const pinned = cores === undefined ? [] : ['taskset', '-c', cores];
    const words = [...pinned, ...(punctual ? firstInLine() : []), command, ...args];
    this.#child = spawn('sh', ['-c', `ulimit -n ${descriptors} && exec "$0" "$@"`, ...words], {
      env: { ...(homeOnly === undefined ? process.env : bare(homeOnly)), ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(cwd === undefined ? {} : { cwd }),
      detached: true,
    });
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.output = (this.output + text).slice(-200_000);
      });
    this.ended = new Promise((resolve) => {
      this.#child.on('error', (cause) => {
        this.output += cause.message;
        resolve(127);
      });
      this.#child.on('close', (code) => resolve(code));
    });
    running.add(this);
    void this.ended.then(() => running.delete(this));
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Resolves with what matched; rejects when it ends before, or takes too long. */
  async said(pattern: RegExp, withinMs = 30_000): Promise<RegExpExecArray> {
    const until = performance.now() + withinMs;
    let hasEnded = false;
    void this.ended.then(() => (hasEnded = true));
    for (;;) {
      const match = pattern.exec(this.output);
      if (match !== null) return match;
      if (hasEnded || performance.now() > until)
        throw new Error(`${hasEnded ? 'it ended' : 'too slow'}: ${this.output.slice(-600).trim()}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** Its whole group: servers fork. */
  async stop(): Promise<void> {
    if (this.pid === 0) return;
    this.#signal('SIGTERM');
    const timer = setTimeout(() => this.#signal('SIGKILL'), 5_000);
    await this.ended;
    clearTimeout(timer);
  }

  #signal(signal: NodeJS.Signals): void {
    try {
      process.kill(-this.pid, signal);
    } catch {
      // It has ended.
    }
  }
}

export async function stopAll(): Promise<void> {
  await Promise.all([...running].map((one) => one.stop()));
}

/** How many descriptors each process may have: all that the system grants, within reason. */
export const descriptors = Math.min(65_536, Number(said('sh', '-c', 'ulimit -Hn')) || 65_536);

/** The proxy has the first core for itself, load and engines share the rest; with one core there is nothing to set apart. */
export const cores: { readonly proxy: string | undefined; readonly rest: string | undefined } =
  availableParallelism() > 1
    ? { proxy: '0', rest: availableParallelism() === 2 ? '1' : `1-${availableParallelism() - 1}` }
    : { proxy: undefined, rest: undefined };

export const onRest = cores.rest === undefined ? {} : { cores: cores.rest };

/** Whoever measures runs where the load runs. */
export function stepAside(): void {
  if (cores.rest !== undefined) said('taskset', '-a', '-cp', cores.rest, String(process.pid));
}

function firstInLine(): readonly string[] {
  const words = ['chrt', '-f', '1'];
  return spawnSync('chrt', ['-f', '1', 'true']).status === 0 ? words : [];
}

function bare(home: string): NodeJS.ProcessEnv {
  return { PATH: process.env['PATH'], HOME: home, TMPDIR: home, LANG: 'C.UTF-8' };
}

function said(command: string, ...args: readonly string[]): string {
  return execFileSync(command, args, { encoding: 'utf8' }).trim();
}
