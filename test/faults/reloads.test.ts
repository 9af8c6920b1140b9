// Another fleet while the router runs: rows 76 to 78 of the matrix.
import { chmodSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { answer } from '../support/scripted/behaviours.ts';
import { faultMatrix } from './matrix.ts';
import { linesOf } from './readings.ts';
import { steadily } from './several.ts';
import { type FleetFile, type Stand } from './stand.ts';

const { fault, engine: startEngine } = faultMatrix();

function fileOf({ file }: Stand): FleetFile {
  if (file === undefined) throw new Error('no fleet file');
  return file;
}

async function reloads(stand: Stand, result: string): Promise<number> {
  return (await stand.metrics()).total('switchyard_config_reloads_total', { result });
}

/** Writes it, sends SIGHUP, and waits for what comes of it; whoever watches the file may have been faster. */
async function reload(stand: Stand, text: string | Buffer, result: 'applied' | 'refused'): Promise<void> {
  const before = await reloads(stand, result);
  writeFileSync(fileOf(stand).path, text);
  stand.router.signal('SIGHUP');
  await expect.poll(() => reloads(stand, result), { timeout: 10_000, interval: 5 }).toBeGreaterThan(before);
}

fault(
  {
    row: 76,
    when: '100 reloads under load: weights change, a backend comes and goes',
    expected:
      'no failed request, no truncated stream; connections and circuits of what stays are kept, descriptors flat',
    timeoutMs: 120_000,
  },
  async (on) => {
    const extra = await startEngine();
    const stand = await on.stand({ engines: [{}, {}], behind: [extra] });
    for (const engine of [...stand.engines, extra]) {
      engine.respond((entry) => (entry.json['stream'] === true ? answer({ count: 15, gapMs: 100 }) : undefined));
    }
    const { fleet } = fileOf(stand);
    const before = (await stand.metrics()).total('process_open_fds');
    const seconds = 15;
    // Each on a connection of its own, so that none of the load stays open.
    const headers = { connection: 'close' };
    const plain = steadily({ perSecond: 60, seconds }, () => stand.ask({}, { headers }));
    const streams = steadily({ perSecond: 15, seconds }, () => stand.stream({}, { headers }));
    const changes = async (): Promise<void> => {
      for (let n = 1; n <= 100; n++) {
        const backends = fleet.backends.map((backend) => ({ ...backend, weight: 1 + (n % 5) }));
        const other = { name: 'extra', engine: 'vllm', url: extra.url };
        const next = { ...fleet, backends: n % 2 === 0 ? backends : [...backends, other] };
        await reload(stand, JSON.stringify(next), 'applied');
        await sleep(80);
      }
    };
    const [answers, read] = await Promise.all([plain, streams, changes()]);
    expect(answers.filter(({ status }) => status !== 200).map(({ text }) => text)).toEqual([]);
    expect(read.filter(({ broken, events }) => broken || events.at(-1) !== '[DONE]').map(({ text }) => text)).toEqual(
      [],
    );
    const after = await stand.metrics();
    expect(after.total('switchyard_circuit_transitions_total')).toBe(0);
    // A hundred pools or watchers would be more.
    const openFiles = async () => (await stand.metrics()).total('process_open_fds') - before;
    await expect.poll(openFiles, { timeout: 20_000, interval: 200 }).toBeLessThan(60);
    on.saw(`200 ×${answers.length}`, `whole ×${read.length}`, { moreFiles: await openFiles() });
  },
);

const deep = '['.repeat(1_000) + ']'.repeat(1_000);
const bomb = [
  'a: &a [x, x, x, x, x, x, x, x, x]',
  ...'bcdefgh'.split('').map((name, n) => `${name}: &${name} [${Array(9).fill(`*${'abcdefgh'[n]}`).join(', ')}]`),
].join('\n');
const bad: readonly (readonly [name: string, text: (good: string) => string | Buffer])[] = [
  ['a syntax error', () => 'version: 1\nbackends: [\n'],
  ['an unknown key', (good) => good.replace('"version":1', '"version":1,"bakends":[]')],
  ['a duplicate name', (good) => good.replace(/"name":"b"/, '"name":"a"')],
  ['nothing', () => ''],
  ['1,000 levels', () => `version: 1\nbackends: ${deep}\n`],
  ['a cyclic alias', () => 'version: 1\nbackends: &a [*a]\n'],
  ['an alias bomb', () => `version: 1\n${bomb}\n`],
  ['2 MiB', (good) => `${good}\n${'# x\n'.repeat(524_288)}`],
  ['no text', () => Buffer.from([0xff, 0xfe, 0x00, 0x80])],
  ['half of itself', (good) => good.slice(0, good.length / 2)],
];

fault(
  {
    row: 77,
    when: 'the fleet file becomes bad: syntax, unknown key, duplicate, depth, aliases, size, deleted, unreadable, half-written',
    expected:
      'the running fleet stays, the gauge says so, one line each, the process lives; a good file is taken again',
  },
  async (on) => {
    const stand = await on.stand({ engines: [{}, {}] });
    const { path, fleet } = fileOf(stand);
    const good = JSON.stringify(fleet);
    const refusals = () => linesOf(stand.router).filter(({ level }) => level === 50).length;
    for (const [name, make] of bad) {
      const before = refusals();
      await reload(stand, make(good), 'refused');
      expect([name, (await stand.metrics()).total('switchyard_config_last_reload_successful')]).toEqual([name, 0]);
      expect([name, refusals() - before]).toEqual([name, 1]);
      expect([name, (await stand.ask()).status]).toEqual([name, 200]);
    }
    const before = await reloads(stand, 'refused');
    rmSync(path);
    stand.router.signal('SIGHUP');
    await expect.poll(() => reloads(stand, 'refused'), { timeout: 10_000 }).toBeGreaterThan(before);
    expect((await stand.ask()).status).toBe(200);
    writeFileSync(path, good);
    chmodSync(path, 0o000);
    // Root may read it all the same; then it says what runs already.
    stand.router.signal('SIGHUP');
    await sleep(500);
    chmodSync(path, 0o644);
    const changed = { ...fleet, backends: fleet.backends.map((backend) => ({ ...backend, weight: 3 })) };
    await reload(stand, JSON.stringify(changed), 'applied');
    expect((await stand.metrics()).total('switchyard_config_last_reload_successful')).toBe(1);
    expect((await stand.ask()).status).toBe(200);
    on.saw(`${bad.length + 1} refused`, 'running fleet kept', 'a good one taken');
  },
);

fault(
  {
    row: 78,
    when: 'a backend is removed while it streams',
    expected: 'the stream ends as usual, nothing new goes there, its connections close after it',
  },
  async (on) => {
    const stand = await on.stand({ engines: [{}, {}], prefer: 'first' });
    const [leaving] = stand.engines;
    if (leaving === undefined) throw new Error('no engine');
    leaving.respond(answer({ count: 60, gapMs: 100 }));
    const streams = Promise.all([stand.stream(), stand.stream()]);
    await leaving.when(({ posts }) => posts.filter(({ sent }) => sent.includes('t2 ')).length === 2);
    const { fleet } = fileOf(stand);
    await reload(stand, JSON.stringify({ ...fleet, backends: fleet.backends.slice(1) }), 'applied');
    const next = await stand.ask();
    expect([next.status, next.headers.get('x-switchyard-backend')]).toEqual([200, 'b']);
    expect(leaving.inFlight).toBe(2);
    const seen = await streams;
    expect(seen.map(({ broken, events }) => [broken, events.at(-1)])).toEqual([
      [false, '[DONE]'],
      [false, '[DONE]'],
    ]);
    await expect.poll(() => leaving.openConnections, { timeout: 5_000 }).toBe(0);
    on.saw('2 whole', 'next by b', 'no connection left');
  },
);
