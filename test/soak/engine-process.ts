// The process of one scripted engine, seen from the soak: it can be killed and come back on its port, stand still, and be
// told to misbehave.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { freePort } from '../support/redis/free-port.ts';
import type { Misbehaviour } from './engine.ts';
import { killAtExit } from './leftovers.ts';

export class EngineProcess {
  readonly name: string;
  readonly port: number;
  #child: ChildProcess;

  static async start(name: string): Promise<EngineProcess> {
    const port = await freePort();
    return new EngineProcess(name, port, await spawnEngine(name, port));
  }

  private constructor(name: string, port: number, child: ChildProcess) {
    this.name = name;
    this.port = port;
    this.#child = child;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** From the next request on; resolves when it knows. */
  async misbehave(how: Misbehaviour): Promise<void> {
    const told = once(this.#child, 'message');
    this.#child.send(how);
    await told;
  }

  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await ended;
  }

  async comeBack(): Promise<void> {
    this.#child = await spawnEngine(this.name, this.port);
  }

  standStill(): void {
    this.#child.kill('SIGSTOP');
  }

  goOn(): void {
    this.#child.kill('SIGCONT');
  }
}

export function startEngines(count: number): Promise<readonly EngineProcess[]> {
  return Promise.all(Array.from({ length: count }, (_, n) => EngineProcess.start(`e${n}`)));
}

async function spawnEngine(name: string, port: number): Promise<ChildProcess> {
  const script = join(import.meta.dirname, 'engine.ts');
  const child = fork(script, [name, String(port)], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  child.once(
    'exit',
    killAtExit(() => void child.kill('SIGKILL')),
  );
  const failed = once(child, 'exit').then(() => {
    throw new Error(`engine ${name} ended before it listened`);
  });
  await Promise.race([once(child, 'message'), failed]);
  failed.catch(() => {});
  return child;
}
