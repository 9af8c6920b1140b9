// `npm run bench`: what the router costs beside other proxies, on this machine, in one run. Every subject stands in front of the same
// mock engine; subjects take turns, so that a noisy minute falls on all of them; what counts are ratios to nginx.
// -- --quick: the project itself and nginx only, under two minutes. -- --subjects a,b  --rounds N  --json FILE
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { chatBody } from './load/content.ts';
import { describeMachine } from './machine.ts';
import { paced, plain, startEngine, streams } from './measure.ts';
import { cores, stopAll } from './processes.ts';
import { type Row, Rows, summary, table } from './results.ts';
import type { Serving, Subject } from './subject.ts';
import { untilServing } from './subject.ts';
import { everySubject, quickSubjects } from './subjects/index.ts';

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    subjects: { type: 'string' },
    rounds: { type: 'string' },
    seconds: { type: 'string' },
    json: { type: 'string', default: '.cache/bench/results.json' },
  },
});
const rounds = Number(values.rounds ?? (values.quick ? 2 : 3));
const seconds = Number(values.seconds ?? (values.quick ? 3 : 5));
const bodyBytes = 600;
const streamCount = 500;
const eventRate = 50;

const wanted = values.subjects?.split(',');
const chosen = wanted
  ? everySubject.filter(({ name }) => wanted.includes(name))
  : values.quick
    ? quickSubjects
    : everySubject;
const rows = new Rows();
const unavailable: (readonly [name: string, why: string])[] = [];
const base = mkdtempSync(join(tmpdir(), 'switchyard-bench-'));

try {
  const ready = await installed(chosen);
  const engine = await startEngine({ rate: eventRate, events: eventRate * 30 });
  for (let round = 1; round <= rounds; round++) {
    for (const subject of ready)
      await once(subject, { engine: engine.url, round }).catch((cause: unknown) => giveUp(subject, cause));
  }
  await engine.stop();
} finally {
  await stopAll();
  rmSync(base, { recursive: true, force: true });
}
const machine = describeMachine();
const results = { date: new Date().toISOString(), machine, rounds, seconds, subjects: summary(rows), unavailable };
mkdirSync(join(values.json, '..'), { recursive: true });
writeFileSync(values.json, `${JSON.stringify(results, undefined, 2)}\n`);
process.stdout.write(`\n${machine}\n\n${table(rows)}\n`);
for (const [name, why] of unavailable) process.stdout.write(`${name}: not measured: ${why}\n`);

async function installed(subjects: readonly Subject[]): Promise<readonly Subject[]> {
  const ready: Subject[] = [];
  for (const subject of subjects) {
    try {
      await subject.install?.();
      ready.push(subject);
    } catch (cause) {
      giveUp(subject, cause);
    }
  }
  return ready;
}

function giveUp({ name }: Subject, cause: unknown): void {
  const why = cause instanceof Error ? cause.message : String(cause);
  if (!unavailable.some(([known]) => known === name)) unavailable.push([name, why.slice(0, 500)]);
  process.stdout.write(`${name}: ${why.slice(0, 300)}\n`);
}

async function once(
  subject: Subject,
  { engine, round }: { readonly engine: string; readonly round: number },
): Promise<void> {
  const dir = mkdtempSync(join(base, 'subject-'));
  const place = { engines: [engine], port: await freePort(), dir, cores: cores.proxy };
  const serving = await subject.start(place);
  try {
    await untilServing(serving, chatBody({ bytes: bodyBytes }));
    const row = await measureAll(serving, dir);
    rows.add(subject, row);
    process.stdout.write(`round ${round}  ${subject.name.padEnd(22)} ${JSON.stringify(row)}\n`);
  } finally {
    await serving.stop();
  }
}

async function measureAll(serving: Serving, dir: string): Promise<Row> {
  await plain(serving, { seconds: 1, bytes: bodyBytes, dir });
  const many = await plain(serving, { seconds, bytes: bodyBytes, dir });
  const half = await paced(serving, { seconds, rate: 400, bytes: bodyBytes });
  const streamed = await streams(serving, { seconds, streams: streamCount, warmup: 2 });
  return {
    plainMicros: many.cpuMicros,
    plainPerSecond: many.perSecond,
    firstByteP50: half.p50,
    firstByteP99: half.p99,
    eventMicros: streamed.cpuMicros,
    eventsPerSecond: streamed.perSecond,
    wrong: many.failed + half.failed + streamed.wrong,
  };
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(address !== null && typeof address === 'object' ? address.port : 0));
    });
  });
}
