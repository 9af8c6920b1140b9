// Plain requests at a set pace, whatever the answers do (an open loop), a process of its own: prints one line of JSON with the
// times to the first byte. `node test/bench/load/paced.ts --url U --rate R --seconds S --bytes B --headers JSON`.
import { createHistogram } from 'node:perf_hooks';
import { Agent, request } from 'node:http';
import { parseArgs } from 'node:util';
import { chatBody } from './content.ts';

export interface PacedResult {
  readonly sent: number;
  readonly answered: number;
  /** Not 200, or no answer. */
  readonly failed: number;
  /** Milliseconds from the moment it was due to the first byte of the answer. */
  readonly p50: number;
  readonly p99: number;
}

const { values } = parseArgs({
  options: {
    url: { type: 'string', default: '' },
    rate: { type: 'string', default: '500' },
    seconds: { type: 'string', default: '5' },
    bytes: { type: 'string', default: '600' },
    headers: { type: 'string', default: '{}' },
  },
});
const target = new URL(values.url);
const extra: Record<string, string> = JSON.parse(values.headers);
const body = chatBody({ bytes: Number(values.bytes) });
const headers = {
  'content-type': 'application/json',
  'content-length': Buffer.byteLength(body),
  ...extra,
};
const agent = new Agent({ keepAlive: true, maxSockets: 256 });
const times = createHistogram();
const everyMs = 1000 / Number(values.rate);
const startedAt = performance.now();
const endsAt = startedAt + Number(values.seconds) * 1000;
let [sent, answered, failed] = [0, 0, 0];

function send(dueAt: number): void {
  sent++;
  const asked = request(target, { method: 'POST', agent, headers }, (response) => {
    times.record(Math.max(1, Math.round((performance.now() - dueAt) * 1000)));
    if (response.statusCode !== 200) failed++;
    response.resume();
    response.on('close', () => answered++);
  });
  asked.on('error', () => {
    failed++;
    answered++;
  });
  asked.end(body);
}

function pace(): void {
  const now = performance.now();
  for (let dueAt = startedAt + sent * everyMs; dueAt <= now && dueAt < endsAt; dueAt = startedAt + sent * everyMs)
    send(dueAt);
  if (now < endsAt) setTimeout(pace, Math.min(1, everyMs));
  else setTimeout(report, 500);
}

function report(): void {
  const ms = (p: number) => Math.round(times.percentile(p)) / 1000;
  const result: PacedResult = { sent, answered, failed, p50: ms(50), p99: ms(99) };
  process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0));
}

pace();
