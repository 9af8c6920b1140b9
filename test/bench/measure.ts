// Load on a subject that serves, and what it took: the loads of `load/` as processes, and CPU of the subject meanwhile.
import { join } from 'node:path';
import { writeFileSync } from 'node:fs';
import { chatBody } from './load/content.ts';
import type { PacedResult } from './load/paced.ts';
import type { StreamsResult } from './load/streams.ts';
import { cpuSeconds, residentBytes } from './accounts.ts';
import { onRest, Started } from './processes.ts';
import type { Serving } from './subject.ts';

export interface PlainResult {
  /** Microseconds of CPU of the proxy for each request. */
  readonly cpuMicros: number | undefined;
  readonly perSecond: number;
  /** Not 2xx, and sockets that broke. */
  readonly failed: number;
}

const loadDir = join(import.meta.dirname, 'load');

export interface PlainWishes {
  readonly seconds: number;
  readonly dir: string;
  /** Of a request. */
  readonly bytes?: number;
  readonly connections?: number;
}

/** As many requests as 64 connections get answered, one at a time each. */
export async function plain(serving: Serving, how: PlainWishes): Promise<PlainResult> {
  const { bytes = 600, connections = 64 } = how;
  const script = join(how.dir, 'post.lua');
  const headers = { 'content-type': 'application/json', ...serving.headers };
  writeFileSync(
    script,
    [
      'wrk.method = "POST"',
      `wrk.body = ${JSON.stringify(chatBody({ bytes })).replaceAll('\\n', ' ')}`,
      ...Object.entries(headers).map(
        ([name, value]) => `wrk.headers[${JSON.stringify(name)}] = ${JSON.stringify(value)}`,
      ),
      'done = function(s) io.write(string.format("RESULT %d %d %d\\n", s.requests, s.duration, s.errors.status + s.errors.connect + s.errors.read + s.errors.write + s.errors.timeout)) end',
    ].join('\n'),
  );
  const before = cpuOf(serving);
  const load = new Started({
    command: 'wrk',
    args: ['-t1', `-c${connections}`, `-d${how.seconds}s`, '--timeout', '10s', '-s', script, serving.url],
    ...onRest,
  });
  const [, requests, micros, failed] = await load.said(/RESULT (\d+) (\d+) (\d+)/, (how.seconds + 20) * 1000);
  const after = cpuOf(serving);
  await load.ended;
  const count = Number(requests);
  return {
    cpuMicros: perUnit(before, after, count),
    perSecond: count / (Number(micros) / 1e6),
    failed: Number(failed),
  };
}

export interface StreamsMeasured extends StreamsResult {
  /** Microseconds of CPU of the proxy for each event. */
  readonly cpuMicros: number | undefined;
  readonly perSecond: number;
  readonly residentBytes: number | undefined;
}

/** So many streams at once, checked event by event. */
export async function streams(
  serving: Serving,
  how: { readonly seconds: number; readonly streams: number; readonly warmup: number },
): Promise<StreamsMeasured> {
  const load = node('streams.ts', {
    url: serving.url,
    streams: how.streams,
    seconds: how.seconds,
    warmup: how.warmup,
    headers: JSON.stringify(serving.headers),
  });
  await load.said(/measuring/, (how.warmup + 30) * 1000);
  const before = cpuOf(serving);
  const [, json = ''] = await load.said(/(\{"events".*\})\n/, (how.seconds + 30) * 1000);
  const after = cpuOf(serving);
  const result: StreamsResult = JSON.parse(json);
  const residentNow = serving.process === undefined ? undefined : residentBytes(serving.process.pid);
  await load.ended;
  return {
    ...result,
    cpuMicros: perUnit(before, after, result.events),
    perSecond: result.events / how.seconds,
    residentBytes: residentNow,
  };
}

/** Times to the first byte at a set pace, requests a second. */
export async function paced(
  serving: Pick<Serving, 'url' | 'headers'>,
  how: { readonly seconds: number; readonly rate: number },
): Promise<PacedResult> {
  const options = { url: serving.url, ...how, headers: JSON.stringify(serving.headers) };
  // Optimising threads of the load would keep its own core from it, by milliseconds.
  const load = node('paced.ts', options, { flags: ['--no-opt'], punctual: true });
  const [, json = ''] = await load.said(/(\{"sent".*\})\n/, (how.seconds + 30) * 1000);
  await load.ended;
  const result: PacedResult = JSON.parse(json);
  return result;
}

/** A load of `load/`, as a process of its own. */
export function node(
  file: string,
  options: Readonly<Record<string, string | number>>,
  { flags = [], punctual }: { readonly flags?: readonly string[]; readonly punctual?: true } = {},
): Started {
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const urgent = punctual === undefined ? {} : { punctual };
  return new Started({ command: 'node', args: [...flags, join(loadDir, file), ...args], ...onRest, ...urgent });
}

export function cpuOf({ process }: Serving): number | undefined {
  return process === undefined ? undefined : cpuSeconds(process.pid);
}

function perUnit(before: number | undefined, after: number | undefined, count: number): number | undefined {
  return before === undefined || after === undefined || count === 0 ? undefined : ((after - before) * 1e6) / count;
}
