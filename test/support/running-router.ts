// A real router on an ephemeral loopback port, in this process, with scripted engines behind it.
import { pino } from 'pino';
import { afterEach, expect, vi } from 'vitest';
import type { RateLimiter } from '../../src/access/limiter.ts';
import type { Backend } from '../../src/fleet/fleet.ts';
import { type Service, type ServiceOptions, startService } from '../../src/service.ts';
import { aFleet, type FleetWishes } from './a-fleet.ts';
import { type ScriptedEngine, startScriptedEngine } from './scripted-engine.ts';
import type { ScriptedEngineOptions } from './scripted/settings.ts';

export interface RunningRouter {
  readonly url: string;
  readonly port: number;
  readonly service: Service;
  readonly engines: readonly ScriptedEngine[];
  /** The first of them. */
  readonly engine: ScriptedEngine;
  /** Parsed log lines so far. */
  readonly log: readonly Readonly<Record<string, unknown>>[];
  readonly post: (path: string, body: unknown, init?: RequestInit) => Promise<Response>;
  readonly chat: (extra?: Readonly<Record<string, unknown>>, init?: RequestInit) => Promise<Response>;
  readonly get: (path: string, init?: RequestInit) => Promise<Response>;
  /** The value of the first series of /metrics with these labels that is not 0; 0 when there is none. */
  readonly metric: (name: string, labels?: Readonly<Record<string, string>>) => Promise<number>;
  /** Stops everything, and fails when something was still held although nothing ran. */
  readonly stop: () => Promise<void>;
}

export interface RouterWishes extends Omit<FleetWishes, 'backends'> {
  readonly engines?: readonly (ScriptedEngineOptions & { readonly backend?: Partial<Backend> })[];
  /** Backends without an engine of ours behind them. */
  readonly others?: readonly Partial<Backend>[];
  readonly limiter?: RateLimiter;
  readonly bodyTimeoutMs?: number;
  readonly headTimeoutMs?: number;
  readonly readings?: ServiceOptions['readings'];
  readonly answerers?: ServiceOptions['answerers'];
  /** What a reload finds. */
  readonly load?: ServiceOptions['load'];
  /** True unless said. */
  readonly waitUntilDiscovered?: boolean;
}

export const quickProbe = { intervalMs: 50, timeoutMs: 1_000, upAfter: 1, downAfter: 1 };

export async function startRouter(wishes: RouterWishes = {}): Promise<RunningRouter> {
  const wanted = wishes.engines ?? [{ imitates: 'vllm' }];
  const engines = await Promise.all(wanted.map((options) => startScriptedEngine(options)));
  const backends = engines.map((engine, n) => ({
    name: `b${n}`,
    engine: wanted[n]?.imitates ?? 'vllm',
    url: engine.url,
    probe: quickProbe,
    ...wanted[n]?.backend,
  }));
  const fleet = aFleet({ ...wishes, backends: [...backends, ...(wishes.others ?? [])] });
  const lines: Readonly<Record<string, unknown>>[] = [];
  const log = pino({ level: 'info' }, { write: (line: string) => void lines.push(JSON.parse(line)) });
  const service = await startService(fleet, {
    log,
    version: 'test',
    ...(wishes.limiter === undefined ? {} : { limiter: wishes.limiter }),
    ...(wishes.load === undefined ? {} : { load: wishes.load }),
    ...(wishes.bodyTimeoutMs === undefined ? {} : { bodyTimeoutMs: wishes.bodyTimeoutMs }),
    ...(wishes.headTimeoutMs === undefined ? {} : { headTimeoutMs: wishes.headTimeoutMs }),
    ...(wishes.readings === undefined ? {} : { readings: wishes.readings }),
    ...(wishes.answerers === undefined ? {} : { answerers: wishes.answerers }),
  });
  if (wishes.waitUntilDiscovered !== false) await service.discovered;
  const url = `http://127.0.0.1:${service.address.port}`;

  const router: RunningRouter = {
    url,
    port: service.address.port,
    service,
    engines,
    get engine() {
      const [engine] = engines;
      if (engine === undefined) throw new Error('this router has no scripted engine');
      return engine;
    },
    log: lines,
    post: (path, body, init = {}) =>
      fetch(url + path, {
        method: 'POST',
        body: typeof body === 'string' ? body : JSON.stringify(body),
        ...init,
        headers: { 'content-type': 'application/json', ...headersOf(init) },
      }),
    chat: (extra = {}, init = {}) =>
      router.post(
        '/v1/chat/completions',
        { model: 'test-model', messages: [{ role: 'user', content: 'hi' }], ...extra },
        init,
      ),
    get: (path, init) => fetch(url + path, init),
    async metric(name, labels = {}) {
      const text = await (await router.get('/metrics')).text();
      const values = text
        .split('\n')
        .filter((one) => /^[{ ]/.test(one.slice(name.length)) && one.startsWith(name) && hasLabels(one, labels))
        .map((line) => Number(line.slice(line.lastIndexOf(' ') + 1)));
      return values.find((value) => value !== 0) ?? 0;
    },
    async stop() {
      try {
        await expectNothingHeld(router);
      } finally {
        await service.stop();
        await Promise.all(engines.map((engine) => engine.close()));
      }
    },
  };
  return router;
}

function headersOf(init: RequestInit): Record<string, string> {
  return Object.fromEntries(new Headers(init.headers));
}

function hasLabels(line: string, labels: Readonly<Record<string, string>>): boolean {
  return Object.entries(labels).every(([name, value]) => line.includes(`${name}="${value}"`));
}

/** No slot, no exchange, nothing queued in a pool, no request open at an engine. Ends are a few turns of the loop away. */
export async function expectNothingHeld(router: RunningRouter): Promise<void> {
  const held = () => ({
    ...router.service.held(),
    open: router.engines.reduce((sum, engine) => sum + engine.inFlight, 0),
  });
  await vi.waitFor(
    () => expect(held()).toEqual({ running: 0, inFlight: 0, queued: 0, waiting: 0, bodyBytes: 0, open: 0 }),
    {
      timeout: 3_000,
      interval: 5,
    },
  );
}

/** A router per test: stopped when the test ends, with the proof that nothing was held. */
export function routerPerTest() {
  let router: RunningRouter | undefined;
  afterEach(async () => {
    await router?.stop();
    router = undefined;
  });
  return {
    start: async (wishes: RouterWishes = {}): Promise<RunningRouter> => {
      router = await startRouter(wishes);
      return router;
    },
    /** The one that was started. */
    current: (): RunningRouter => {
      if (router === undefined) throw new Error('no router was started');
      return router;
    },
  };
}
