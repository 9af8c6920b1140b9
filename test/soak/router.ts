// The router of a soak, a real process, and what can be seen of it: its metrics, and its vitals after a collection.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { RouterProcess } from '../support/router-process.ts';
import { killAtExit } from './leftovers.ts';

export interface Vitals {
  /** After a collection. */
  readonly heapBytes: number;
  readonly descriptors: number;
  /** Sockets, servers, timers and whatever else keeps the process alive. */
  readonly held: number;
  readonly heldByKind: Readonly<Record<string, number>>;
}

export class SoakRouter {
  readonly process: RouterProcess;
  readonly #directory: string;

  /** Ready when it resolves. `listen`: a free port unless said. */
  static async start(fleet: string, listen = '127.0.0.1:0'): Promise<SoakRouter> {
    const directory = mkdtempSync(join(tmpdir(), 'switchyard-soak-'));
    const file = join(directory, 'fleet.yaml');
    writeFileSync(file, fleet);
    const preload = join(import.meta.dirname, 'preload.ts');
    const env = { NODE_OPTIONS: `--expose-gc --import ${preload}`, SOAK_VITALS: join(directory, 'vitals.json') };
    const router = new SoakRouter(new RouterProcess(['serve', '-c', file, '--listen', listen], { env }), directory);
    await router.process.when(({ stdout }) => stdout.includes('Clients:') && stdout.endsWith('\n'));
    while ((await fetchText(router.port, '/readyz')).status !== 200) {
      if (!router.process.running) throw new Error(`the router ended: ${router.process.stderr}`);
      await setTimeout(50);
    }
    return router;
  }

  private constructor(running: RouterProcess, directory: string) {
    this.process = running;
    void running.ended.then(killAtExit(() => running.signal('SIGKILL')));
    this.#directory = directory;
  }

  get port(): number {
    return this.process.port;
  }

  rewrite(fleet: string): void {
    writeFileSync(join(this.#directory, 'fleet.yaml'), fleet);
  }

  async metrics(): Promise<Metrics> {
    return new Metrics((await fetchText(this.port, '/metrics')).text);
  }

  async vitals(): Promise<Vitals> {
    const path = join(this.#directory, 'vitals.json');
    rmSync(path, { force: true });
    this.process.signal('SIGUSR2');
    while (!existsSync(path)) {
      if (!this.process.running) throw new Error(`the router ended: ${this.process.stderr}`);
      await setTimeout(20);
    }
    const { heapBytes, held }: { heapBytes: number; held: Record<string, number> } = JSON.parse(
      readFileSync(path, 'utf8'),
    );
    const descriptors = (await this.metrics()).sum('process_open_fds');
    const all = Object.values(held).reduce((sum, count) => sum + count, 0);
    return { heapBytes, descriptors, held: all, heldByKind: held };
  }

  async kill(): Promise<void> {
    await this.process.kill();
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

/** Prometheus text. */
export class Metrics {
  readonly #lines: readonly string[];

  constructor(text: string) {
    this.#lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  }

  knows(name: string): boolean {
    return this.#lines.some((line) => nameOf(line) === name);
  }

  /** Of all series of that name that carry each of these `label="value"`. */
  sum(name: string, ...labels: readonly string[]): number {
    const series = this.#lines.filter((line) => nameOf(line) === name && labels.every((label) => line.includes(label)));
    return series.reduce((sum, line) => sum + valueOf(line), 0);
  }

  by(name: string, label: string): ReadonlyMap<string, number> {
    const sums = new Map<string, number>();
    for (const line of this.#lines) {
      if (nameOf(line) !== name) continue;
      const [, value = ''] = new RegExp(`[{,]${label}="([^"]*)"`).exec(line) ?? [];
      sums.set(value, (sums.get(value) ?? 0) + valueOf(line));
    }
    return sums;
  }
}

function nameOf(line: string): string {
  return line.slice(0, line.search(/[{ ]/));
}

function valueOf(line: string): number {
  return Number(line.slice(line.lastIndexOf(' ') + 1));
}

/** On a connection of its own. Status 0: there was no answer. */
export function fetchText(port: number, path: string): Promise<{ readonly status: number; readonly text: string }> {
  return new Promise((resolve) => {
    const nothing = () => resolve({ status: 0, text: '' });
    const request = get({ host: '127.0.0.1', port, path, agent: false, timeout: 5_000 }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (piece: string) => (text += piece));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
      response.on('error', nothing);
    });
    request.on('error', nothing).on('timeout', () => request.destroy());
  });
}
