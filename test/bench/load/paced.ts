// Plain requests at a set pace, whatever the answers do (an open loop), a process of its own: prints one line of JSON with the
// times to the first byte. `node test/bench/load/paced.ts --url U --rate R --seconds S --headers JSON`.
import { createHistogram } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { chatBody } from './content.ts';
import { PlainLine } from './plain-line.ts';

export interface PacedResult {
  readonly sent: number;
  readonly answered: number;
  /** Not 200, no answer, or not sent because too many before had none yet. */
  readonly failed: number;
  /** Milliseconds from the moment it was due to the first byte of the answer. */
  readonly p50: number;
  readonly p99: number;
  /** Milliseconds by which this process itself was late. */
  readonly late: { readonly p50: number; readonly p99: number };
}

const { values } = parseArgs({
  options: {
    url: { type: 'string', default: '' },
    rate: { type: 'string', default: '500' },
    seconds: { type: 'string', default: '5' },
    headers: { type: 'string', default: '{}' },
  },
});
const target = new URL(values.url);
const everyMs = 1000 / Number(values.rate);
const warmupMs = 1_500;
const mostAtOnce = 256;
const nowMs = () => Number(process.hrtime.bigint()) / 1e6;
const request = requestTo(target, JSON.parse(values.headers));
const [times, lateness] = [createHistogram(), createHistogram()];
const idle: PlainLine[] = [];
let [sent, answered, busy] = [0, 0, 0];

const startsAtMs = nowMs() + 50;
const countsFromMs = startsAtMs + warmupMs;
const endsAtMs = countsFromMs + Number(values.seconds) * 1000;
let dueAtMs = startsAtMs;

const pacer = new Worker(new URL('./pacer.ts', import.meta.url), { workerData: { everyMs, startsAtMs } });
pacer.on('message', () => {
  for (const now = nowMs(); dueAtMs <= now && dueAtMs < endsAtMs; dueAtMs += everyMs) {
    send(dueAtMs);
    if (dueAtMs >= countsFromMs) record(lateness, nowMs() - dueAtMs);
  }
  if (dueAtMs < endsAtMs) return;
  pacer.removeAllListeners();
  setTimeout(report, 500);
});

function send(dueAt: number): void {
  if (dueAt >= countsFromMs) sent++;
  let line = idle.pop();
  while (line?.isOpen === false) line = idle.pop();
  // With so many unanswered it can't be helped, and more of them would only keep the engine from its core.
  if (line === undefined && busy >= mostAtOnce) return;
  busy++;
  (line ?? new PlainLine(target, { firstByte, ended })).send(request, dueAt);
}

function firstByte({ dueAtMs }: PlainLine): void {
  if (dueAtMs >= countsFromMs) record(times, nowMs() - dueAtMs);
}

function ended(line: PlainLine, isGood: boolean): void {
  busy--;
  if (isGood && line.dueAtMs >= countsFromMs) answered++;
  if (line.isOpen) idle.push(line);
}

function record(into: typeof times, ms: number): void {
  into.record(Math.max(1, Math.round(ms * 1000)));
}

function report(): void {
  const of = (histogram: typeof times) => ({
    p50: Math.round(histogram.percentile(50)) / 1000,
    p99: Math.round(histogram.percentile(99)) / 1000,
  });
  const result: PacedResult = { sent, answered, failed: sent - answered, ...of(times), late: of(lateness) };
  process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0));
}

function requestTo({ host, pathname }: URL, extra: Readonly<Record<string, string>>): Buffer {
  const body = chatBody({ bytes: 600 });
  const headers = {
    host,
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(body)),
    ...extra,
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.from(`POST ${pathname} HTTP/1.1\r\n${lines.join('')}\r\n${body}`);
}
