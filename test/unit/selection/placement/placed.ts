// Placements for tests: backends of one kind, and requests whose prompts are chains of numbers.
import { Fingerprint } from '../../../../src/selection/placement/fingerprint.ts';
import { hashOfText } from '../../../../src/selection/placement/fingerprint.ts';
import { machineOf } from '../../../../src/selection/placement/machines.ts';
import { type Job, Placement } from '../../../../src/selection/placement/placement.ts';
import { leastCostDefaults } from '../../../../src/fleet/least-cost-settings.ts';
import { type FakeClock, fakeClock } from '../../../support/fake-clock.ts';
import { seededRandom } from '../../../support/seeded-random.ts';

export interface Stand {
  readonly placement: Placement;
  readonly clock: FakeClock;
  /** Chosen, and booked there. */
  place(job: Job): { readonly backend: number; readonly charge: ReturnType<Placement['book']> };
  /** All in the order in which they come out. */
  order(job: Job): readonly number[];
}

export function aStand(
  count: number,
  wishes: {
    readonly seed?: number;
    readonly settings?: Partial<typeof leastCostDefaults>;
    readonly clock?: FakeClock;
  } = {},
): Stand {
  const { seed = 1, settings, clock = fakeClock(0) } = wishes;
  const placement = new Placement(clock, seededRandom(seed), { ...leastCostDefaults, ...settings });
  for (let backend = 0; backend < count; backend++)
    placement.join(backend, { id: hashOfText(`b${backend}`), weight: 1, machine: machineOf('vllm'), cohort: 0 });
  const backends = Int32Array.from({ length: count }, (_, backend) => backend);
  const order = (job: Job) => {
    placement.choose(backends, count, job);
    return Array.from({ length: placement.shortlist.count }, (_, n) => placement.shortlist.backendAt(n));
  };
  return {
    placement,
    clock,
    order,
    place(job) {
      const backend = order(job)[0] ?? -1;
      return { backend, charge: placement.book(backend, job) };
    },
  };
}

let unique = 1_000_000;

/** `chunks`: what the prompt consists of, one number for each KiB; left out: nothing that was seen before. */
export function aJob(wishes: Partial<Job> & { readonly chunks?: readonly number[] } = {}): Job {
  const { chunks = Array.from({ length: 16 }, () => unique++), ...more } = wishes;
  let chain = 1;
  const low = Uint32Array.from(chunks, (chunk) => (chain = (Math.imul(chain ^ chunk, 0x9e37_79b1) >>> 0) + 1));
  const print = new Fingerprint(
    low,
    Uint32Array.from(chunks, (chunk) => chunk & 0xffff),
    chunks.length * 1_024,
  );
  return {
    print,
    promptTokens: chunks.length * 256,
    answerTokens: 200,
    session: 0,
    knownBytes: 0,
    stream: true,
    ...more,
  };
}

/** Of all backends together. */
export function held({ placement }: Stand): readonly number[] {
  const { requests, pending, resident } = placement.loads.of;
  return [requests, pending, resident].map((column) => column.reduce((sum, one) => sum + one, 0));
}
