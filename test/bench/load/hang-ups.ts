// Streams whose callers hang up after the first event or two, a process of its own: prints how many. `node
// test/bench/load/hang-ups.ts --url U --count N --headers JSON`.
import { Agent, request } from 'node:http';
import { parseArgs } from 'node:util';
import { chatBody } from './content.ts';

export interface HangUpsResult {
  readonly hungUp: number;
  /** Not 200, or no event came. */
  readonly failed: number;
}

const { values } = parseArgs({
  options: {
    url: { type: 'string', default: '' },
    count: { type: 'string', default: '1000' },
    headers: { type: 'string', default: '{}' },
  },
});
const target = new URL(values.url);
const extra: Record<string, string> = JSON.parse(values.headers);
const body = chatBody({ bytes: 600, stream: true });
const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body), ...extra };
const agent = new Agent({ keepAlive: false });
const atOnce = 100;
const count = Number(values.count);
let [begun, hungUp, failed] = [0, 0, 0];

function open(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const leavesAfter = 1 + (begun++ % 3);
  let isGood = false;
  const sent = request(target, { method: 'POST', agent, headers }, (response) => {
    let reads = 0;
    response.on('error', () => {});
    response.on('data', () => {
      isGood = response.statusCode === 200;
      if (++reads === leavesAfter) sent.destroy();
    });
  });
  sent.on('error', () => {});
  sent.on('close', () => {
    if (isGood) hungUp++;
    else failed++;
    resolve();
  });
  sent.end(body);
  return promise;
}

async function caller(): Promise<void> {
  while (begun < count) await open();
}

await Promise.all(Array.from({ length: atOnce }, caller));
const result: HangUpsResult = { hungUp, failed };
process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0));
