// What the router allocates for a plain request and for an event of a stream: a router of its own process with everything on, one
// request at a time, one event at a time, interpreted, so that neither the machine nor its compilers decide what comes out.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { chatBody } from '../load/content.ts';
import { freePort } from '../../support/redis/free-port.ts';
import { LockstepEngine } from './lockstep-engine.ts';
import type { Mark } from './probe.ts';

/** Bytes for each. */
export interface Allocations {
  readonly plainHeap: number;
  readonly plainBuffers: number;
  readonly eventHeap: number;
  readonly eventBuffers: number;
}

const root = resolve(import.meta.dirname, '../../..');
const key = 'sk-bench-0123456789';
const [warmup, count] = [400, 600];
const readyWithinMs = 20_000;

const interpreted = ['--no-opt', '--no-maglev', '--no-sparkplug', '--single-threaded-gc'];
const nothingCollected = ['--expose-gc', '--min-semi-space-size=256', '--max-semi-space-size=256'];

export async function measureAllocations(): Promise<Allocations> {
  const engine = new LockstepEngine();
  const router = await start(await engine.listen());
  try {
    const plain = await plainRequests(router);
    const events = await streamedEvents(router, engine);
    return {
      plainHeap: plain.heapBytes,
      plainBuffers: plain.bufferBytes,
      eventHeap: events.heapBytes,
      eventBuffers: events.bufferBytes,
    };
  } finally {
    await router.stop();
    engine.close();
  }
}

interface Router {
  readonly port: number;
  mark(which: 'begin' | 'end'): Promise<Mark>;
  stop(): Promise<void>;
}

async function start(engine: string): Promise<Router> {
  const dir = mkdtempSync(join(tmpdir(), 'switchyard-allocations-'));
  const port = await freePort();
  writeFileSync(join(dir, 'fleet.yaml'), JSON.stringify(fleet(port, engine)));
  const log = openSync(join(dir, 'log'), 'w');
  const flags = [...interpreted, ...nothingCollected, '--import', join(import.meta.dirname, 'probe.ts')];
  const words = ['serve', '--config', join(dir, 'fleet.yaml'), '--no-watch'];
  const child = spawn(process.execPath, [...flags, join(root, 'src/main.ts'), ...words], {
    cwd: root,
    env: { PATH: process.env['PATH'], BENCH_KEY: key },
    stdio: ['ignore', 'ignore', log, 'ipc'],
  });
  await untilReady(port, () => {
    if (child.exitCode !== null) throw new Error(readFileSync(join(dir, 'log'), 'utf8'));
  });
  return {
    port,
    mark: (which) => mark(child, which),
    async stop() {
      child.kill('SIGKILL');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** Probes are rare, so that none of them falls into a measurement but by chance. */
function fleet(port: number, url: string): unknown {
  const enough = 1_000_000_000;
  const limits = { requests_per_minute: enough, tokens_per_minute: enough, concurrent: 1_000 };
  return {
    version: 1,
    server: { listen: `127.0.0.1:${port}` },
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

async function mark(child: ChildProcess, which: string): Promise<Mark> {
  const answered = once(child, 'message');
  child.send(which);
  const [answer]: Mark[] = await answered;
  if (answer === undefined) throw new Error('no mark');
  return answer;
}

async function plainRequests(router: Router): Promise<Pick<Mark, 'heapBytes' | 'bufferBytes'>> {
  const line = await open(router.port);
  const one = () => line.exchange(request({}), (text) => text.endsWith('}}'));
  for (let n = 0; n < warmup; n++) await one();
  return counted(router, async () => {
    for (let n = 0; n < count; n++) await one();
    line.close();
  });
}

async function streamedEvents(
  router: Router,
  engine: LockstepEngine,
): Promise<Pick<Mark, 'heapBytes' | 'bufferBytes'>> {
  const line = await open(router.port);
  const isEvent = (text: string) => text.includes('"content":"#') && text.endsWith('\n\n\r\n');
  await line.exchange(request({ stream: true }), isEvent);
  const next = () => {
    const came = line.until(isEvent);
    engine.say();
    return came;
  };
  for (let n = 0; n < warmup; n++) await next();
  const found = await counted(router, async () => {
    for (let n = 0; n < count; n++) await next();
  });
  engine.endStream();
  line.close();
  return found;
}

async function counted(router: Router, run: () => Promise<void>): Promise<Pick<Mark, 'heapBytes' | 'bufferBytes'>> {
  const before = await router.mark('begin');
  await run();
  const after = await router.mark('end');
  if (after.collections > 0) throw new Error(`${after.collections} collections: nothing can be said`);
  return {
    heapBytes: (after.heapBytes - before.heapBytes) / count,
    bufferBytes: (after.bufferBytes - before.bufferBytes) / count,
  };
}

class Line {
  readonly #socket: Socket;
  #text = '';
  #waiting: { readonly isWhole: (text: string) => boolean; readonly done: () => void } | undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.setEncoding('latin1').on('data', (text: string) => {
      this.#text += text;
      if (this.#waiting?.isWhole(this.#text) === true) this.#waiting.done();
    });
  }

  exchange(bytes: string, isWhole: (text: string) => boolean): Promise<void> {
    const came = this.until(isWhole);
    this.#socket.write(bytes);
    return came;
  }

  until(isWhole: (text: string) => boolean): Promise<void> {
    this.#text = '';
    return new Promise((done) => {
      this.#waiting = { isWhole, done };
    });
  }

  close(): void {
    this.#socket.destroy();
  }
}

async function open(port: number): Promise<Line> {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true });
  await once(socket, 'connect');
  return new Line(socket);
}

function request(wishes: { readonly stream?: true }): string {
  const body = chatBody({ bytes: 600, ...wishes });
  const head = ['POST /v1/chat/completions HTTP/1.1', 'host: bench', `authorization: Bearer ${key}`];
  return `${[...head, 'content-type: application/json', `content-length: ${body.length}`].join('\r\n')}\r\n\r\n${body}`;
}
