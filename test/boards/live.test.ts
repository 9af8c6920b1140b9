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
const directory = mkdtempSync(join(tmpdir(), 'switchyard-boards-'));
const routers: RouterProcess[] = [];
const engines: ScriptedEngine[] = [];
let prometheus: PrometheusProcess;
/** Unix seconds. */
let from: number;
let to: number;
let page: string;

afterAll(async () => {
  await Promise.all(routers.map((router) => router.kill()));
  await Promise.all(engines.map((engine) => engine.close()));
  await prometheus.dispose();
  rmSync(directory, { recursive: true });
});

beforeAll(async () => {
  const redis = await startRedis();
  const solid = await startScriptedEngine({ imitates: 'vllm', models: ['chat'], slots: 2, kvUsage: 0.4 });
  const frail = await startScriptedEngine({ imitates: 'vllm', models: ['chat'], slots: 4, kvUsage: 0.7 });
  engines.push(solid, frail);
  playSolid(solid);
  playFrail(frail);
  const file = join(directory, 'fleet.yaml');
  const write = (weight: number, more = '') =>
    writeFileSync(file, mixedFleet({ solid, frail, redisUrl: redis.url, weight }) + more);
  write(1);
  routers.push(...[1, 2].map(() => new RouterProcess(['serve', '--listen', '127.0.0.1:0', '--config', file])));
  await Promise.all(routers.map((router) => router.when(({ stdout }) => stdout.includes('Clients:'))));
  prometheus = await PrometheusProcess.start(
    inject('prometheusBinary'),
    scraping(routers.map(({ url }) => new URL(url).host)),
  );
  from = Date.now() / 1000;
  const load = startMixedLoad(routers);
  await wait(6_000);
  write(2);
  for (const router of routers) router.signal('SIGHUP');
  await wait(3_000);
  write(2, 'no_such_setting: 1\n');
  await wait(3_000);
  write(2);
  await frail.crash();
  await wait(4_000);
  await frail.listen();
  redis.freeze();
  await wait(3_000);
  redis.thaw();
  await wait(4_000);
  page = await (await fetch(`${routers[0]?.url}/metrics`)).text();
  to = Date.now() / 1000;
  await load.stop();
});

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
