// Whether anything is kept of requests that are over: a million of them and a hundred thousand callers who hang up, in ten parts,
// and the heap after a full collection at the end of each.
import { readFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { residentBytes } from '../accounts.ts';
import type { Figures, LoadBench, Standing } from '../bench.ts';
import { Inspector } from '../inspector.ts';
import type { HangUpsResult } from '../load/hang-ups.ts';
import { node, plain } from '../measure.ts';
import type { Serving } from '../subject.ts';
import { switchyard } from '../subjects/switchyard.ts';

const parts = 10;
const [requests, hangUps] = [1_000_000, 100_000];
const longestSeconds = 600;

export const endurance: LoadBench = {
  name: 'endurance',
  about: `${requests} plain requests and ${hangUps} hang-ups; the heap after a collection, at a tenth and at the end`,
  columns: [
    { key: 'requests', title: 'requests', digits: 0 },
    { key: 'hangUps', title: 'hang-ups', digits: 0 },
    { key: 'tenthMebibytes', title: 'MiB heap at a tenth' },
    { key: 'endMebibytes', title: 'at the end' },
    { key: 'growth', title: 'end ÷ tenth', digits: 3 },
    { key: 'rssMebibytes', title: 'MiB RSS at the end', digits: 0 },
    { key: 'failed', title: 'failed', digits: 0 },
  ],
  subjects: [switchyard({ name: 'Switchyard', inspect: true })],
  once: true,
  measure,
};

async function measure({ serving, seconds, dir }: Standing): Promise<Figures> {
  const inspector = await Inspector.open(readFileSync(`${dir}/access.log`, 'utf8').slice(0, 10_000));
  const heaps: number[] = [];
  let [asked, hungUp, failed] = [0, 0, 0];
  const share = shareOf(seconds);
  try {
    for (let part = 1; part <= parts; part++) {
      while (asked < (requests * share * part) / parts) {
        const { answered, failed: refused } = await some(serving, { seconds: Math.min(5, seconds), dir });
        asked += answered;
        failed += refused;
      }
      const left = await leave(serving, Math.round((hangUps * share) / parts));
      hungUp += left.hungUp;
      failed += left.failed;
      // What ends on its own has done so.
      await setTimeout(2_000);
      heaps.push((await inspector.heapAfterCollection()) / 2 ** 20);
    }
  } finally {
    inspector.close();
  }
  const [first = 0, last = 0] = [heaps[0], heaps.at(-1)];
  const series = Object.fromEntries(heaps.map((heap, n) => [`heap${n + 1}`, heap]));
  const rssMebibytes = serving.process === undefined ? undefined : residentBytes(serving.process.pid) / 2 ** 20;
  return {
    requests: asked,
    hangUps: hungUp,
    tenthMebibytes: first,
    endMebibytes: last,
    growth: last / first,
    rssMebibytes,
    failed,
    ...series,
  };
}

/** All of it takes many minutes: shorter runs are for trying whether it works. */
function shareOf(seconds: number): number {
  if (seconds >= 5) return 1;
  return seconds >= 2 ? 0.1 : 0.01;
}

async function some(
  serving: Serving,
  { seconds, dir }: { readonly seconds: number; readonly dir: string },
): Promise<{ readonly answered: number; readonly failed: number }> {
  const { perSecond, failed } = await plain(serving, { seconds, dir });
  return { answered: Math.round(perSecond * seconds), failed };
}

async function leave({ url, headers }: Serving, count: number): Promise<HangUpsResult> {
  const load = node('hang-ups.ts', { url, count, headers: JSON.stringify(headers) });
  const [json] = await load.said(/\{"hungUp".*\}/, longestSeconds * 1000);
  await load.ended;
  const result: HangUpsResult = JSON.parse(json);
  return result;
}
