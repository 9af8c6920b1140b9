// What a choice by least cost takes: the fingerprint of a prompt, the ranking of all who could take it, and the booking; with an
// index that is full, so that nothing of it is near. Run by `npm run bench:placement`; no assertions, no thresholds.
import { parseArgs } from 'node:util';
import { plainCounters } from '../../src/admission/counters.ts';
import { systemClock } from '../../src/clock.ts';
import { endpoints } from '../../src/endpoints/index.ts';
import { CandidateCosts } from '../../src/selection/placement/candidates.ts';
import { jobOf } from '../../src/selection/placement/job.ts';
import { Placement } from '../../src/selection/placement/placement.ts';
import { leastConnections } from '../../src/selection/policies/least-connections.ts';
import { leastCost } from '../../src/selection/policies/least-cost.ts';
import type { Ask } from '../../src/selection/policy.ts';
import { anAsk } from '../support/an-ask.ts';
import { aCandidate } from '../support/candidates.ts';
import { seededRandom } from '../support/seeded-random.ts';

const { values } = parseArgs({ options: { picks: { type: 'string', default: '20000' } } });
const picks = Number(values.picks);
const random = seededRandom(1);
const full = 2 ** 20;

process.stdout.write(
  'backends  prompt    fingerprint µs    ranking µs        booking µs        least-connections µs\n',
);
process.stdout.write('                    p50      p99      p50      p99      p50      p99      p50      p99\n');
for (const backends of [16, 100, 1_000]) for (const kib of [2, 16, 64]) measure(backends, kib);

function measure(backends: number, kib: number): void {
  const inFlight = plainCounters();
  const placement = new Placement(systemClock, random);
  const costs = new CandidateCosts(placement, systemClock, inFlight);
  const parts = { inFlight, clock: systemClock, random, costs };
  const [policy, plain] = [leastCost(parts), leastConnections(parts)];
  const candidates = Array.from({ length: backends }, (_, n) => aCandidate({ name: `b${n}` }));
  const bodies = Array.from({ length: 64 }, () => aBody(kib * 1_024));
  policy.rank(candidates, askFor(bodies[0]));
  fill(placement, candidates[0]?.state.index ?? 0, backends);
  const took: [number[], number[], number[], number[]] = [[], [], [], []];
  const timed = <Result>(of: number[], run: () => Result): Result => {
    const startMs = performance.now();
    const result = run();
    of.push((performance.now() - startMs) * 1_000);
    return result;
  };
  for (let pick = 0; pick < picks; pick++) {
    const ask = askFor(bodies[pick % bodies.length]);
    timed(took[0], () => jobOf(ask, 'm'));
    const [first] = timed(took[1], () => policy.rank(candidates, ask));
    if (first === undefined) continue;
    const charge = timed(took[2], () => policy.book?.(first, ask));
    charge?.end();
    timed(took[3], () => plain.rank(candidates, ask));
  }
  const cells = took.flatMap((micros) => [quantile(micros, 0.5), quantile(micros, 0.99)]);
  const { entries, bytes } = placement.index;
  const index = `index: ${entries} entries, ${(bytes / 2 ** 20).toFixed(1)} MiB`;
  const line = [String(backends).padEnd(9), `${kib} KiB`.padEnd(9), ...cells.map((cell) => cell.toFixed(1).padEnd(8))];
  process.stdout.write(`${line.join(' ')} ${index}\n`);
}

/** With prefixes that nobody asks for. */
function fill({ index }: Placement, first: number, backends: number): void {
  for (let n = 0; n < full * 1.2; n++)
    index.add(
      Math.floor(random() * 2 ** 32) || 1,
      Math.floor(random() * 2 ** 21),
      first + Math.floor(random() * backends),
      1_024,
    );
}

function aBody(bytes: number): Buffer {
  const content = Array.from({ length: bytes }, () => String.fromCharCode(97 + Math.floor(random() * 26))).join('');
  return Buffer.from(JSON.stringify({ model: 'm', messages: [{ role: 'user', content }] }));
}

function askFor(body: Buffer = Buffer.alloc(0)): Ask {
  return anAsk({ body, fields: endpoints['chat-completions'].read(body), promptTokens: body.length / 4 });
}

function quantile(micros: readonly number[], part: number): number {
  const later = micros.slice(micros.length >> 2).toSorted((a, b) => a - b);
  return later[Math.floor(later.length * part)] ?? Number.NaN;
}
