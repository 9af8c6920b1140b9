// `npm run bench`: what the router costs beside other proxies, on this machine, in one run. Every subject stands in front of the same
// mock engine; what counts are ratios to nginx. -- --quick: plain requests, events and the first byte of nginx, a bare relay and the
// router itself, under two minutes. -- --only plain,events  --subjects nginx,Switchyard  --rounds N  --seconds N  --file PATH
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { goalsOf } from './goals.ts';
import { describeMachine, othersAtWork } from './machine.ts';
import { type BenchOptions, readOptions } from './options.ts';
import { stepAside, stopAll } from './processes.ts';
import { provide } from './provide.ts';
import { benchTable, goalsTable, reportOf } from './report.ts';
import { Run } from './run.ts';
import { everySubject } from './subjects/index.ts';

const options = asked();
if (options === undefined) process.exit(2);
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => void stopAll().finally(() => process.exit(1)));
stepAside();
const others = othersAtWork();
await provide('wrk', 'wrk');
const run = new Run(options);
try {
  await run.all();
} finally {
  await stopAll();
}
const { rounds, seconds, benches, file } = options;
const { results, unavailable } = run;
const peers = everySubject.flatMap(({ name, isPeer }) => (isPeer ? [name] : []));
const goals = goalsOf(results, peers);
const machine = [describeMachine(), others ?? []].flat().join(' ');
const measured = benches.filter(({ name }) => results.benches().includes(name));
mkdirSync(dirname(file), { recursive: true });
writeFileSync(`${file}.md`, `${reportOf({ machine, rounds, seconds, benches, results, goals, unavailable })}\n`);
writeFileSync(`${file}.json`, `${JSON.stringify(everything(), undefined, 2)}\n`);
process.stdout.write(`\n${machine}\n`);
for (const bench of measured)
  process.stdout.write(`\n${bench.name}: ${bench.about}\n\n${benchTable(bench, results)}\n`);
process.stdout.write(`\n${goalsTable(goals.filter(({ measured }) => measured !== undefined))}\n\n`);
for (const { name, why } of unavailable) process.stdout.write(`${name}: not measured: ${why}\n`);
process.stdout.write(`written: ${file}.md, ${file}.json\n`);

function everything() {
  const date = new Date().toISOString();
  const figures = measured.map(({ name, about }) => ({
    name,
    about,
    subjects: results.subjects(name).map((subject) => ({
      name: subject,
      about: everySubject.find((one) => one.name === subject)?.about,
      rounds: results.rounds(name, subject),
    })),
  }));
  return { date, machine, rounds, seconds, goals, benches: figures, unavailable };
}

function asked(): BenchOptions | undefined {
  try {
    return readOptions(process.argv.slice(2));
  } catch (cause) {
    process.stderr.write(`${cause instanceof Error ? cause.message : String(cause)}\n`);
    return undefined;
  }
}
