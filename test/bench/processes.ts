// Processes of a measurement: started on the cores they are given, ended by id, and their CPU time by the system's own account.
import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';

export interface StartOptions {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Which cores it may use, as taskset has it; left out: all. */
  readonly cores?: string;
}

const running = new Set<Started>();

export class Started {
  readonly #child: ChildProcess;
  output = '';
  readonly ended: Promise<number | null>;

  constructor({ command, args, env = {}, cwd, cores }: StartOptions) {
    const words = cores === undefined ? [command, ...args] : ['taskset', '-c', cores, command, ...args];
    const [first = '', ...rest] = words;
    this.#child = spawn(first, rest, {
      env: { ...process.env, ...env },
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

const ticksPerSecond = 100;

/** Seconds of CPU that a process and all below it have used, those that have ended and were waited for included. */
export function cpuSeconds(pid: number): number {
  return treeOf(pid).reduce((sum, one) => sum + ownSeconds(one), 0);
}

/** Resident memory of a process and all below it, in bytes. */
export function residentBytes(pid: number): number {
  return treeOf(pid).reduce((sum, one) => {
    const [, pages = '0'] = read(`/proc/${one}/statm`).split(' ');
    return sum + Number(pages) * 4096;
  }, 0);
}

function ownSeconds(pid: number): number {
  // The name, in parentheses, may hold anything.
  const fields = read(`/proc/${pid}/stat`)
    .replace(/^.*\) /s, '')
    .split(' ');
  return [11, 12, 13, 14].reduce((sum, n) => sum + Number(fields[n] ?? 0), 0) / ticksPerSecond;
}

function treeOf(pid: number): readonly number[] {
  const children = readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    const [, parent] = read(`/proc/${name}/stat`)
      .replace(/^.*\) /s, '')
      .split(' ');
    return parent === String(pid) ? treeOf(Number(name)) : [];
  });
  return [pid, ...children];
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** The proxy has the first core for itself, load and engines share the rest; with one core there is nothing to set apart. */
export const cores: { readonly proxy: string | undefined; readonly rest: string | undefined } =
  availableParallelism() > 1
    ? { proxy: '0', rest: `1-${availableParallelism() - 1}` }
    : { proxy: undefined, rest: undefined };
