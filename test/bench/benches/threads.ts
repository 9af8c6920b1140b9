// Workers as threads or as processes: what a request takes, what they weigh, and how evenly connections come to them. It knows
// nothing of the router: a bare relay in each of the ways that Node.js has.
import { request } from 'node:http';
import { setTimeout } from 'node:timers/promises';
import { proportionalBytes, residentBytes } from '../accounts.ts';
import type { Figures, OwnBench } from '../bench.ts';
import { chatBody } from '../load/content.ts';
import { startEngine, usual } from '../load/engine-process.ts';
import { plain, streams } from '../measure.ts';
import { cores, Started } from '../processes.ts';
import { chatPath, type Serving, untilServing } from '../subject.ts';
import { freePort } from '../../support/redis/free-port.ts';

interface Way {
  readonly way: string;
  readonly label: string;
  readonly workers: number;
}

const ways: readonly Way[] = [
  { way: 'threads', label: '1 thread', workers: 1 },
  { way: 'threads', label: '2 threads, reusePort', workers: 2 },
  { way: 'cluster-turns', label: '2 processes, handed out in turn', workers: 2 },
  { way: 'cluster-port', label: '2 processes, reusePort', workers: 2 },
];
const [connections, trials] = [64, 10];
const body = chatBody({ bytes: 600 });

export const threads: OwnBench = {
  name: 'threads',
  about: 'a bare relay as threads and as processes; CPU with both workers on one core, requests/s with them on all',
  columns: [
    { key: 'cpuMicros', title: 'µs CPU per request' },
    { key: 'eventMicros', title: 'µs CPU per event' },
    { key: 'perSecond', title: 'requests/s', digits: 0 },
    { key: 'mebibytes', title: 'MiB RSS', digits: 0 },
    { key: 'sharedMebibytes', title: 'what they share counted once', digits: 0 },
    { key: 'largest', title: `largest share of ${connections} connections, mean of ${trials}`, digits: 3 },
    { key: 'worst', title: 'worst', digits: 3 },
    { key: 'failed', title: 'failed', digits: 0 },
  ],
  async run({ seconds, dir }) {
    const engine = await startEngine(usual);
    const rows: (readonly [string, Figures])[] = [];
    for (const way of ways) {
      const [url = ''] = engine.urls;
      const onOne = await serving(way, { url, cores: cores.proxy });
      try {
        await plain(onOne, { seconds, dir });
        const { cpuMicros, failed } = await plain(onOne, { seconds, dir });
        const pid = onOne.process?.pid ?? 0;
        const [mebibytes, sharedMebibytes] = [residentBytes(pid) / 2 ** 20, proportionalBytes(pid) / 2 ** 20];
        const { cpuMicros: eventMicros, wrong } = await streams(onOne, { seconds, streams: 500, warmup: 2 });
        await onOne.stop();
        const rest = await onAll(way, { url, seconds, dir });
        rows.push([way.label, { cpuMicros, eventMicros, mebibytes, sharedMebibytes, ...rest, failed: failed + wrong }]);
      } finally {
        await onOne.stop();
      }
    }
    await engine.stop();
    return rows;
  },
};

async function onAll(
  way: Way,
  { url, seconds, dir }: { readonly url: string; readonly seconds: number; readonly dir: string },
): Promise<Figures> {
  const all = await serving(way, { url, cores: undefined });
  try {
    await plain(all, { seconds, dir });
    const { perSecond } = await plain(all, { seconds, dir });
    const shares: number[] = [];
    for (let n = 0; n < trials; n++) shares.push(await largestShare(all.url));
    return { perSecond, largest: shares.reduce((sum, one) => sum + one, 0) / trials, worst: Math.max(...shares) };
  } finally {
    await all.stop();
  }
}

async function serving(
  { way, workers }: Way,
  { url, cores: pinned }: { readonly url: string; readonly cores: string | undefined },
): Promise<Serving> {
  const port = await freePort();
  const file = `${import.meta.dirname}/../load/relay-workers.ts`;
  const where = pinned === undefined ? {} : { cores: pinned };
  const process = new Started({ command: 'node', args: [file, way, String(workers), String(port), url], ...where });
  const found = { url: `http://127.0.0.1:${port}${chatPath}`, headers: {}, process, stop: () => process.stop() };
  await untilServing(found, { body, withinMs: 10_000 });
  // One that listens is not yet all of them.
  await setTimeout(500);
  return found;
}

/** Of so many connections, opened one after the other, the part of the worker that has most; an even one has 1 ÷ workers. */
async function largestShare(url: string): Promise<number> {
  const counts = new Map<string, number>();
  for (let n = 0; n < connections; n++) {
    const worker = await workerOf(url);
    counts.set(worker, (counts.get(worker) ?? 0) + 1);
  }
  return Math.max(...counts.values()) / connections;
}

function workerOf(url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method: 'POST', agent: false }, (response) => {
      response.resume();
      response.on('end', () => resolve(String(response.headers['x-worker'])));
    });
    sent.on('error', reject);
    sent.end(body);
  });
}
