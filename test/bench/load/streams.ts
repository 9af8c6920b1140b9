// Load of many streams at once, a process of its own: opens them, checks every event, and prints one line of JSON.
// `node test/bench/load/streams.ts --url U --streams N --seconds S --headers JSON`. Streams that end are opened again until the time is over.
import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';
import { Agent, request } from 'node:http';
import { parseArgs } from 'node:util';
import { chatBody, wordOf } from './content.ts';

export interface StreamsResult {
  /** Content events that came while it was measured. */
  readonly events: number;
  readonly streamsEnded: number;
  /** Events that were lost, doubled, out of order or another stream's; streams without their end; answers that were no streams. */
  readonly wrong: number;
  readonly open: number;
  /** Milliseconds: the request sent → first content; and between two events of a stream. */
  readonly ttft: Quantiles;
  readonly gap: Quantiles;
}

export interface Quantiles {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

const { values } = parseArgs({
  options: {
    url: { type: 'string', default: '' },
    streams: { type: 'string', default: '500' },
    seconds: { type: 'string', default: '5' },
    warmup: { type: 'string', default: '2' },
    headers: { type: 'string', default: '{}' },
  },
});
const target = new URL(values.url);
const extra: Record<string, string> = JSON.parse(values.headers);
const agent = new Agent({ keepAlive: true, maxSockets: Infinity });
const [ttft, gap] = [createHistogram(), createHistogram()];
/** Who was refused does not ask again at once. */
const againAfterMs = 200;
let counting = false;
let over = false;
let [events, ended, wrong, open, opened] = [0, 0, 0, 0, 0];

function start(): void {
  if (over) return;
  const name = `s${opened++}`;
  const sentAt = performance.now();
  const sent = request(target, {
    method: 'POST',
    agent,
    headers: {
      'content-type': 'application/json',
      ...extra,
    },
  });
  let next = 0;
  let lastAt = sentAt;
  let rest = '';
  let isDone = false;
  open++;
  const finish = () => {
    open--;
    if (over) return;
    if (isDone) ended++;
    else wrong++;
    setTimeout(start, isDone ? 0 : againAfterMs);
  };
  sent.on('error', finish);
  sent.on('response', (response) => {
    if (response.statusCode !== 200) wrong++;
    response.setEncoding('latin1');
    response.on('data', (text: string) => {
      const now = performance.now();
      const whole = rest + text;
      const parts = whole.split('\n\n');
      rest = parts.pop() ?? '';
      for (const event of parts) {
        if (event === 'data: [DONE]') isDone = true;
        // Proxies that write JSON anew put a space there.
        const at = event.indexOf('#', event.indexOf('"content":'));
        if (at === -1 || event === 'data: [DONE]') continue;
        if (!event.startsWith(wordOf(name, next), at)) wrong++;
        if (counting) events++;
        // Most streams begin before anything is counted.
        if (next === 0) record(ttft, now - sentAt);
        else if (counting) record(gap, now - lastAt);
        next++;
        lastAt = now;
      }
    });
    response.on('close', finish);
    sent.off('error', finish).on('error', () => {});
  });
  sent.end(chatBody({ bytes: 600, stream: true, name }));
}

function record(histogram: RecordableHistogram, ms: number): void {
  histogram.record(Math.max(1, Math.round(ms * 1000)));
}

function quantiles(histogram: RecordableHistogram): Quantiles {
  const ms = (microseconds: number) => Math.round(microseconds) / 1000;
  if (histogram.count === 0) return { p50: 0, p99: 0, max: 0 };
  return { p50: ms(histogram.percentile(50)), p99: ms(histogram.percentile(99)), max: ms(histogram.max) };
}

const wanted = Number(values.streams);
const warmupMs = Number(values.warmup) * 1000;
// Spread over the warm-up, so that it is no stampede that is measured.
for (let n = 0; n < wanted; n++) setTimeout(start, (n / wanted) * warmupMs * 0.8);
setTimeout(() => {
  counting = true;
  process.stdout.write('measuring\n');
}, warmupMs);
setTimeout(
  () => {
    over = true;
    const result: StreamsResult = {
      events,
      streamsEnded: ended,
      wrong,
      open,
      ttft: quantiles(ttft),
      gap: quantiles(gap),
    };
    process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0));
  },
  warmupMs + Number(values.seconds) * 1000,
);
