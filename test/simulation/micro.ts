// The two gates about the router itself, not about a fleet: how long a choice takes, and how much memory the index needs. More,
// and with an index that is full: `npm run bench:placement`.
import { plainCounters } from '../../src/admission/counters.ts';
import { chatCompletions } from '../../src/endpoints/chat-completions.ts';
import { CandidateCosts } from '../../src/selection/placement/candidates.ts';
import { jobOf } from '../../src/selection/placement/job.ts';
import { Placement } from '../../src/selection/placement/placement.ts';
import { leastCost } from '../../src/selection/policies/least-cost.ts';
import { anAsk } from '../support/an-ask.ts';
import { seededRandom } from '../support/seeded-random.ts';
import type { Gate } from './gates.ts';
import { quantile } from './metrics.ts';
import { candidatesOf } from './routers/candidates.ts';

const backends = 1000;
const promptBytes = 16 * 1024;
const rounds = 5;
const picks = 5000;
/** What an index of 256 M tokens holds, at 256 tokens a chunk. */
const chunks = 1_000_000;

export function microGates(): readonly Gate[] {
  return [
    {
      what: 'choice among 1000 backends, 16 KiB: p99 µs',
      value: pickMicros(),
      most: 25,
      note: `on this machine, the quietest of ${rounds} rounds`,
    },
    { what: 'index of 256 M tokens: MiB', value: indexBytes() / 2 ** 20, most: 48 },
  ];
}

/** Fingerprint, ranking and booking. */
function pickMicros(): number {
  const random = seededRandom(1);
  const clock = { now: () => 0, after: () => () => {} };
  const inFlight = plainCounters();
  const placement = new Placement(clock, random);
  const policy = leastCost({ clock, inFlight, random, costs: new CandidateCosts(placement, clock, inFlight) });
  const candidates = candidatesOf(
    Array.from({ length: backends }, () => 1),
    { kvTokens: 400_000 },
  );
  const bodies = Array.from({ length: 64 }, (_, index) => aBody(index));
  const fields = bodies.map((body) => chatCompletions.read(body));
  const p99 = Array.from({ length: rounds }, () => {
    const micros: number[] = [];
    for (let pick = 0; pick < picks; pick++) {
      const [body, read] = [bodies[pick % bodies.length], fields[pick % bodies.length]];
      if (body === undefined || read === undefined) continue;
      const ask = anAsk({ body, fields: read, promptTokens: promptBytes / 4 });
      const startMs = performance.now();
      jobOf(ask, 'm');
      const [first] = policy.rank(candidates, ask);
      const charge = first === undefined ? undefined : policy.book?.(first, ask);
      micros.push((performance.now() - startMs) * 1000);
      charge?.end();
    }
    return quantile(
      micros.toSorted((a, b) => a - b),
      0.99,
    );
  });
  return Math.min(...p99);
}

function indexBytes(): number {
  const { index } = new Placement({ now: () => 0 }, seededRandom(1));
  const random = seededRandom(2);
  for (let chunk = 0; chunk < chunks; chunk++)
    index.add(Math.floor(random() * 2 ** 32) || 1, Math.floor(random() * 2 ** 21), chunk % 16, 1024);
  return index.bytes;
}

function aBody(seed: number): Buffer {
  const random = seededRandom(seed);
  const content = Array.from({ length: promptBytes }, () => String.fromCharCode(97 + Math.floor(random() * 26))).join(
    '',
  );
  return Buffer.from(JSON.stringify({ model: 'm', messages: [{ role: 'user', content }] }));
}
