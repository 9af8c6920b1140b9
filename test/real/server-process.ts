// An inference server as a child process: ready when its log says where it listens and its health is good; ended with
// whatever it started itself.
import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as wait } from 'node:timers/promises';
import type { Extra } from './run.ts';

const readyWithinMs = 60_000;
const endsWithinMs = 5_000;
const shownLines = 30;

export interface ServerCommand {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Extra;
  /** Finds the port in the log, as its first group: servers choose a free one themselves, so none can be taken. */
  readonly listening: RegExp;
  /** Answers 200 when ready. */
  readonly healthPath: string;
}

export class ServerProcess {
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;
  #log = '';
  #url = '';

  private constructor({ command, args, env = {} }: ServerCommand) {
    // A process group of its own: Ollama starts runners, which must end with it.
    const child = spawn(command, args, {
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
    });
    this.#child = child;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#ended = promise;
    const note = (text: string): void => {
      this.#log += text;
    };
    child.stdout?.setEncoding('utf8').on('data', note);
    child.stderr?.setEncoding('utf8').on('data', note);
    child.on('error', (cause) => note(cause.message));
    child.on('close', () => resolve());
  }

  /** @throws Error with the end of its log when it ends or is not ready in time. */
  static async start(command: ServerCommand): Promise<ServerProcess> {
    const server = new ServerProcess(command);
    try {
      await server.#ready(command);
      return server;
    } catch (cause) {
      await server.kill();
      const tail = server.#log.split('\n').slice(-shownLines).join('\n');
      throw new Error(`${command.command} did not start. The end of its log:\n${tail}`, { cause });
    }
  }

  /** Without a path. */
  get url(): string {
    return this.#url;
  }

  /** As the router names it when the fleet file gives only its URL. */
  get name(): string {
    return new URL(this.#url).host;
  }

  /** Ends it and all it started, at once, as a crash would. */
  async kill(): Promise<void> {
    const { pid } = this.#child;
    try {
      if (pid !== undefined) process.kill(-pid, 'SIGKILL');
    } catch (cause) {
      const gone = cause instanceof Error && 'code' in cause && cause.code === 'ESRCH';
      if (!gone) throw cause;
    }
    await this.#ended;
  }

  /** Asks it to end, so that it can clear up what it started, and makes sure of it. */
  async stop(): Promise<void> {
    this.#child.kill('SIGTERM');
    await Promise.race([this.#ended, wait(endsWithinMs, undefined, { ref: false })]);
    await this.kill();
  }

  async #ready({ listening, healthPath }: ServerCommand): Promise<void> {
    const until = performance.now() + readyWithinMs;
    while (performance.now() < until) {
      if (this.#child.exitCode !== null || this.#child.signalCode !== null || this.#child.pid === undefined) break;
      const port = listening.exec(this.#log)?.[1];
      if (port !== undefined) {
        this.#url = `http://127.0.0.1:${port}`;
        const answer = await fetch(this.#url + healthPath).catch(() => undefined);
        await answer?.body?.cancel();
        if (answer?.status === 200) return;
      }
      await wait(50);
    }
    throw new Error(`not ready within ${readyWithinMs / 1000} s, or ended`);
  }
}
