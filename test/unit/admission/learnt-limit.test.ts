// Whether the learnt limit finds out how much a box can run, in simulated time: several seeds, ±30 % noise on every time, and
// always more who want in than fit.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LearntLimit } from '../../../src/admission/learnt-limit.ts';
import type { Served } from '../../../src/fleet/in-flight-limit.ts';
import { type BoxWishes, type SimulatedBox, simulatedBox } from '../../support/simulated-box.ts';

const seeds = [1, 2, 3, 4, 5];
const minute = 60_000;

interface Course {
  readonly limits: readonly number[];
  readonly served: number;
}

/** Runs it for so long and reads the limit every second. */
function follow(box: SimulatedBox, limit: LearntLimit, ms: number, plain = false): Course {
  const limits: number[] = [];
  let served = 0;
  for (let second = 0; second < ms / 1_000; second++) {
    box.run(
      1_000,
      () => limit.value,
      (answer) => {
        served++;
        limit.learn(plain ? { ...answer, firstTokenMs: undefined } : answer);
      },
    );
    limits.push(limit.value);
  }
  return { limits, served };
}

/** The least, the middle and the most of where it was in the second half, without the outermost twentieth on each side. */
function settled({ limits }: Course): { readonly least: number; readonly middle: number; readonly most: number } {
  const sorted = limits.slice(limits.length / 2).toSorted((a, b) => a - b);
  const at = (part: number) => sorted[Math.floor(part * (sorted.length - 1))] ?? Number.NaN;
  return { least: at(0.05), middle: at(0.5), most: at(0.95) };
}

/** Undefined when it settled within these bounds; else where it did. */
function outside(course: Course, least: number, most: number): ReturnType<typeof settled> | undefined {
  const where = settled(course);
  return where.least >= least && where.most <= most ? undefined : where;
}

const learn = (wishes: BoxWishes, ms: number, plain = false) =>
  follow(simulatedBox(wishes), new LearntLimit(), ms, plain);

describe.each(seeds)('a learnt limit with nothing set, seed %i', (seed) => {
  it('settles around a box of 4 slots', () => {
    expect(outside(learn({ slots: 4, seed }, 10 * minute), 4, 7)).toBeUndefined();
  });

  it('settles around a box of 64 slots', () => {
    expect(outside(learn({ slots: 64, seed }, 10 * minute), 52, 90)).toBeUndefined();
  });

  it('follows a box from 64 to 16 slots and back', () => {
    const [box, limit] = [simulatedBox({ slots: 64, seed }), new LearntLimit()];
    expect(outside(follow(box, limit, 5 * minute), 50, 90)).toBeUndefined();
    box.slots = 16;
    expect(outside(follow(box, limit, 6 * minute), 13, 25)).toBeUndefined();
    box.slots = 64;
    expect(outside(follow(box, limit, 6 * minute), 50, 90)).toBeUndefined();
  });

  it('finds the same by plain answers, where nobody sees when they begin', () => {
    expect(outside(learn({ slots: 4, seed }, 15 * minute, true), 3, 7)).toBeUndefined();
    expect(outside(learn({ slots: 64, seed }, 15 * minute, true), 40, 95)).toBeUndefined();
  });
});

describe('a learnt limit', () => {
  it('lets a box of one slot have hardly more than one', () => {
    for (const seed of seeds) {
      const course = learn({ slots: 1, seed }, 10 * minute);
      expect(outside(course, 1, 3)).toBeUndefined();
      expect(settled(course).middle).toBeLessThanOrEqual(2);
    }
  });

  it('costs less than a tenth of what the box can do', () => {
    for (const seed of [1, 2]) {
      const [box, most] = [simulatedBox({ slots: 64, seed }), simulatedBox({ slots: 64, seed })];
      let atMost = 0;
      most.run(
        10 * minute,
        () => 64,
        () => atMost++,
      );
      expect(follow(box, new LearntLimit(), 10 * minute).served / atMost).toBeGreaterThan(0.9);
    }
  });

  it('does not take a box that reads prompts three times more slowly for a smaller one', () => {
    for (const seed of seeds) {
      const [box, limit] = [simulatedBox({ slots: 64, seed }), new LearntLimit()];
      follow(box, limit, 5 * minute);
      box.perPromptTokenMs *= 3;
      expect(outside(follow(box, limit, 10 * minute), 50, 90)).toBeUndefined();
    }
  });

  it('settles around a box that only reads, too: embeddings', () => {
    for (const seed of [1, 2]) {
      expect(outside(learn({ slots: 4, seed, meanOutputTokens: 1 }, 3 * minute), 3, 10)).toBeUndefined();
      expect(outside(learn({ slots: 64, seed, meanOutputTokens: 1 }, 3 * minute), 40, 90)).toBeUndefined();
    }
  });

  it('does not grow while nobody comes near it', () => {
    for (const plain of [false, true]) {
      const { limits } = learn({ slots: 64, seed: 1, callers: 10 }, 10 * minute, plain);
      expect(Math.max(...limits)).toBeLessThanOrEqual(20);
    }
  });

  it('goes below what the backend itself called too much, once for all that it refused at the same time', () => {
    const limit = new LearntLimit();
    expect(limit.value).toBe(4);
    for (const inFlight of [4, 4, 3]) limit.refused({ startedMs: 1_000, inFlight }, 1_100);
    expect(limit.value).toBe(3);
    limit.refused({ startedMs: 1_200, inFlight: 1 }, 1_300);
    expect(limit.value).toBe(1);
  });

  it('is a whole number from 1 to 1024, whatever backends tell', () => {
    const times = fc.double({ min: 0, max: 1e9, noNaN: true });
    const tokens = fc.oneof(fc.nat({ max: 10_000 }), fc.nat({ max: Number.MAX_SAFE_INTEGER }));
    const answer: fc.Arbitrary<Served> = fc.record({
      startedMs: fc.nat({ max: 10_000_000 }),
      firstTokenMs: fc.option(times, { nil: undefined }),
      totalMs: times,
      promptTokens: tokens,
      outputTokens: tokens,
      inFlight: fc.integer({ min: 1, max: 2_000 }),
    });
    fc.assert(
      fc.property(fc.array(answer, { maxLength: 300 }), (answers) => {
        const limit = new LearntLimit();
        for (const [n, one] of answers.entries()) {
          if (n % 7 === 6) limit.refused(one, one.startedMs);
          else limit.learn(one);
          expect(Number.isInteger(limit.value)).toBe(true);
          expect(limit.value).toBeGreaterThanOrEqual(1);
          expect(limit.value).toBeLessThanOrEqual(1_024);
        }
      }),
    );
  });
});
