// Every query of every board, and every rule, in a real Prometheus that has watched two real routers under mixed load.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { rulesOf } from '../../grafana/alerts.ts';
import { panelsOf, readBoards } from '../support/boards.ts';
import { PrometheusProcess, type Series } from '../support/prometheus/prometheus-process.ts';
import { redisOfTest } from '../support/redis/of-test.ts';
import { until } from '../support/redis/until.ts';
import { root, RouterProcess } from '../support/router-process.ts';
import { type ScriptedEngine, startScriptedEngine } from '../support/scripted-engine.ts';
import type { ScriptedEngineOptions } from '../support/scripted/settings.ts';
import { mixedFleet, playFrail, playSolid } from './mixed-fleet.ts';
import { startMixedLoad } from './mixed-load.ts';

const rulesFile = join(root, 'deploy/prometheus/rules.yaml');
const rules = rulesOf(readFileSync(rulesFile, 'utf8'));
const boards = readBoards();
const targets = boards.flatMap((board) =>
  panelsOf(board).flatMap(({ title, targets }) =>
    targets.map((target) => ({ ...target, place: `${board.title}: ${title} ${target.refId}` })),
  ),
);

const { startRedis } = redisOfTest(afterAll);
/** What was started, and ends in reverse. */
const started = new AsyncDisposableStack();
afterAll(() => started.disposeAsync());
const routers: RouterProcess[] = [];
let prometheus: PrometheusProcess;
const loadMs = 25_000;
/** Unix seconds. */
let from: number;
let to: number;
let page: string;

beforeAll(async () => {
  const redis = await startRedis();
  const directory = mkdtempSync(join(tmpdir(), 'switchyard-boards-'));
  started.defer(() => rmSync(directory, { recursive: true }));
  const solid = await startEngine({ slots: 2, kvUsage: 0.4 });
  const frail = await startEngine({ slots: 4, kvUsage: 0.7 });
  playSolid(solid);
  playFrail(frail);
  const file = join(directory, 'fleet.yaml');
  const write = (weight: number, more = '') =>
    writeFileSync(file, mixedFleet({ solid, frail, redisUrl: redis.url, weight }) + more);
  write(1);
  for (let n = 0; n < 2; n++) {
    const router = new RouterProcess(['serve', '--listen', '127.0.0.1:0', '--config', file]);
    started.defer(async () => void (await router.kill()));
    routers.push(router);
  }
  await Promise.all(routers.map((router) => router.when(({ stdout }) => stdout.includes('Clients:'))));
  prometheus = await PrometheusProcess.start(
    inject('prometheusBinary'),
    scraping(routers.map(({ url }) => new URL(url).host)),
  );
  started.defer(() => prometheus.dispose());
  from = Date.now() / 1000;
  const load = startMixedLoad(routers);
  await seen('sum(rate(switchyard_requests_total{outcome="ok"}[5s])) > 0');
  write(2);
  for (const router of routers) router.signal('SIGHUP');
  await seen('min(changes(switchyard_config_last_reload_success_timestamp_seconds[1m])) > 0');
  write(2, 'no_such_setting: 1\n');
  await seen('switchyard_config_last_reload_successful == bool 0');
  write(2);
  await frail.crash();
  await seen('switchyard_circuit_state{backend="frail", state="open"}');
  await seen('switchyard_backend_up{backend="frail"} == bool 0');
  await frail.listen();
  redis.freeze();
  await seen('sum(rate(switchyard_shared_state_errors_total[10s]))');
  redis.thaw();
  await seen('min(switchyard_backend_up{backend="frail"})');
  // So long as rates and queues take to show all that callers do.
  await wait(Math.max(0, from * 1000 + loadMs - Date.now()));
  page = await (await fetch(`${routers[0]?.url}/metrics`)).text();
  to = Date.now() / 1000;
  await load.stop();
});

async function startEngine(options: Partial<ScriptedEngineOptions>): Promise<ScriptedEngine> {
  const engine = await startScriptedEngine({ imitates: 'vllm', models: ['chat'], ...options });
  started.defer(() => engine.close());
  return engine;
}

/** Resolves once Prometheus answers with a number above 0. */
function seen(query: string): Promise<void> {
  return until(query, 30_000, async () => numbers(await prometheus.instant(query, Date.now() / 1000)).some(isPositive));
}

/** As the shipped example, with our routers and a second between two looks at them. */
function scraping(hosts: readonly string[]): string {
  return JSON.stringify({
    global: { scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '1s' },
    rule_files: [rulesFile],
    scrape_configs: [{ job_name: 'switchyard', static_configs: [{ targets: hosts }] }],
  });
}

/** What Grafana does with everything chosen. */
function filled(expr: string): string {
  const hosts = routers.map(({ url }) => new URL(url).host.replaceAll('.', '\\\\.'));
  return expr
    .replaceAll('$instance', `(${hosts.join('|')})`)
    .replaceAll(/\$(model|backend)/g, '.*')
    .replaceAll('$__rate_interval', '10s')
    .replaceAll('$__range', `${Math.ceil(to - from)}s`);
}

const numbers = (found: readonly Series[]) =>
  found.flatMap(({ samples }) => samples.map(([, value]) => Number(value))).filter(Number.isFinite);
const isPositive = (value: number) => value > 0;
const namesIn = (expr: string) =>
  expr.match(/\b(?:(?:switchyard|nodejs|process)_[a-z0-9_]+|model:[a-z0-9_:]+|up\b)/g) ?? [];

describe('the boards, under mixed load', () => {
  it.each(targets)('show something for $place', async ({ expr }) => {
    const query = filled(expr);
    expect(query).not.toContain('$');
    const course = numbers(await prometheus.range(query, from, to, 1));
    expect({ query, most: Math.max(...course) }).toEqual({ query, most: expect.toSatisfy(isPositive) });
  });

  it.each(targets.filter(({ instant }) => instant))('have a last value for $place', async ({ expr }) => {
    const query = filled(expr);
    expect({ query, found: numbers(await prometheus.instant(query, to)) }).not.toEqual({ query, found: [] });
  });

  it('name no metric that there is not', async () => {
    const names = new Set(await prometheus.names());
    const exprs = [...targets.map(({ expr }) => expr), ...rules.map(({ expr }) => expr)];
    const asked = new Set(exprs.flatMap(namesIn));
    expect(asked.size).toBeGreaterThan(40);
    expect([...asked].filter((name) => !names.has(name))).toEqual([]);
  });

  it('list the routers, models and backends to choose from', async () => {
    const lists = boards[0]?.templating.list.flatMap(({ definition }) => definition ?? []) ?? [];
    const found = await Promise.all(
      lists.map((definition) => {
        const [, metric = '', label = ''] = /label_values\((\w+), (\w+)\)/.exec(definition) ?? [];
        return prometheus.values(label, metric);
      }),
    );
    const hosts = routers.map(({ url }) => new URL(url).host).toSorted();
    expect(found).toEqual([hosts, ['chat', 'embed', 'gone', 'narrow'], ['embed', 'frail', 'gone', 'narrow', 'solid']]);
  });

  it('mark the reload', async () => {
    for (const { annotations } of boards) {
      const [mark] = annotations.list;
      expect(numbers(await prometheus.range(filled(mark?.expr ?? ''), from, to, 1))).not.toEqual([]);
    }
  });
});

describe('the rules, under mixed load', () => {
  it('are all evaluated without an error', async () => {
    await until('every rule evaluated', 10_000, async () =>
      (await prometheus.rules()).every(({ health }) => health !== 'unknown'),
    );
    const states = await prometheus.rules();
    expect(states).toHaveLength(rules.length);
    expect(states.filter(({ health }) => health !== 'ok')).toEqual([]);
  });

  it.each(rules.flatMap(({ record }) => record ?? []))('record %s', async (record) => {
    expect(Math.max(...numbers(await prometheus.range(record, from, to, 1)))).toBeGreaterThan(0);
  });
});

describe('the page of metrics', () => {
  it('is clean for promtool', () => {
    const checked = spawnSync(inject('promtoolBinary'), ['check', 'metrics'], { input: page, encoding: 'utf8' });
    expect({ status: checked.status, said: checked.stdout + checked.stderr }).toEqual({ status: 0, said: '' });
  });
});
