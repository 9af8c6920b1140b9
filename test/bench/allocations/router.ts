// The router whose allocations are counted: a process of its own with everything on, interpreted, and with so large a young
// generation that nothing is collected while it counts.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { freePort } from '../../support/redis/free-port.ts';
import type { Mark } from './probe.ts';

export interface Router {
  readonly port: number;
  mark(which: 'begin' | 'end'): Promise<Mark>;
  stop(): Promise<void>;
}

export const key = 'sk-bench-0123456789';

const root = resolve(import.meta.dirname, '../../..');
const [readyWithinMs, markWithinMs] = [60_000, 60_000];
const interpreted = ['--no-opt', '--no-maglev', '--no-sparkplug', '--single-threaded-gc'];
const nothingCollected = ['--expose-gc', '--min-semi-space-size=256', '--max-semi-space-size=256'];

export async function startRouter(engine: string): Promise<Router> {
  const dir = mkdtempSync(join(tmpdir(), 'switchyard-allocations-'));
  const port = await freePort();
  writeFileSync(join(dir, 'fleet.yaml'), JSON.stringify(fleet(port, engine)));
  const flags = [...interpreted, ...nothingCollected, '--import', join(import.meta.dirname, 'probe.ts')];
  const words = ['serve', '--config', join(dir, 'fleet.yaml'), '--no-watch'];
  const child = spawn(process.execPath, [...flags, join(root, 'src/main.ts'), ...words], {
    cwd: root,
    env: { PATH: process.env['PATH'], BENCH_KEY: key },
    stdio: ['ignore', 'ignore', openSync(join(dir, 'log'), 'w'), 'ipc'],
  });
  const stop = async () => {
    const hasEnded = child.exitCode !== null || child.signalCode !== null;
    const ended = hasEnded ? undefined : once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
    rmSync(dir, { recursive: true, force: true });
  };
  try {
    await untilReady(port, () => {
      if (child.exitCode !== null) throw new Error(readFileSync(join(dir, 'log'), 'utf8'));
    });
  } catch (cause) {
    await stop();
    throw cause;
  }
  return {
    port,
    stop,
    async mark(which) {
      const answered = once(child, 'message', { signal: AbortSignal.timeout(markWithinMs) });
      child.send(which);
      const [answer]: Mark[] = await answered;
      if (answer === undefined) throw new Error('no mark');
      return answer;
    },
  };
}

/** Probes are rare, so that none falls into a measurement but by chance; and however slow the machine, nothing is shed. */
function fleet(port: number, url: string): unknown {
  const enough = 1_000_000_000;
  const limits = { requests_per_minute: enough, tokens_per_minute: enough, concurrent: 1_000 };
  return {
    version: 1,
    server: {
      listen: `127.0.0.1:${port}`,
      overload: { event_loop_delay: 'off', heap: 'off', open_files: 'off' },
    },
    admin: { listen: 'off' },
    auth: { keys: [{ tenant: 'bench', key: '${BENCH_KEY}', limits }] },
    backends: [{ name: 'engine', engine: 'openai', url, probe: { interval: '300s' } }],
    logging: { level: 'info', format: 'json', access: 'all' },
  };
}

async function untilReady(port: number, check: () => void): Promise<void> {
  const until = performance.now() + readyWithinMs;
  for (;;) {
    check();
    const response = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => undefined);
    if (response?.ok === true) return;
    if (performance.now() > until) throw new Error('the router does not get ready');
    await setTimeout(50);
  }
}
