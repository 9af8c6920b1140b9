import { describe, expect, it } from 'vitest';
import { VirtualTime } from '../virtual-time.ts';
import type { Wanted } from './memory.ts';
import { type Profile, profiles } from './profiles.ts';
import { Replica } from './replica.ts';

const a100 = profiles['8b-a100'];

/** Sends all at once unless `atMs` says otherwise; what happened to each, in seconds. */
function served(
  wanted: readonly (Wanted & { readonly atMs?: number })[],
  { profile = a100, pageTokens = 16, speed = 1 }: { profile?: Profile; pageTokens?: number; speed?: number } = {},
) {
  const time = new VirtualTime();
  const replica = new Replica({ profile, time, speed, pageTokens });
  const seen = wanted.map(() => ({ firstS: 0, endS: 0, cached: 0, ends: 0 }));
  for (const [index, one] of wanted.entries()) {
    const mine = seen[index];
    if (mine === undefined) continue;
    const job = {
      ...one,
      firstToken: (cached: number) => {
        mine.firstS = time.nowS;
        mine.cached = cached;
      },
      grew: () => {},
      finished: () => {
        mine.endS = time.nowS;
        mine.ends++;
      },
      lost: () => {
        mine.ends++;
      },
    };
    time.at(one.atMs ?? 0, () => replica.submit(job));
  }
  time.runUntil(() => false);
  return { replica, seen };
}

function chainOf(blocks: number, from = 0): readonly number[] {
  return Array.from({ length: blocks }, (_, index) => from + index);
}

describe('a replica', () => {
  it('takes for one request what the formula of a step says', () => {
    const { seen } = served([{ chain: [], input: 1000, output: 11 }]);
    const prefill = 1000 / 14_500 + 3.4e-9 * 1000 * 500 + 0.001;
    expect(seen[0]?.firstS).toBeCloseTo(prefill, 9);
    let decode = 0;
    for (let token = 1; token <= 10; token++) decode += 0.0105 + 30e-6 + 0.125e-6 * (1000 + token) + 0.001;
    expect(seen[0]?.endS).toBeCloseTo(prefill + decode, 9);
  });

  it('computes a long prompt in chunks of its budget', () => {
    const { seen } = served([{ chain: [], input: 3000, output: 1 }]);
    const first = 2048 / 14_500 + 3.4e-9 * 2048 * 1024 + 0.001;
    const second = 952 / 14_500 + 3.4e-9 * 952 * (2048 + 476) + 0.001;
    expect(seen[0]?.firstS).toBeCloseTo(first + second, 9);
  });

  it('is as much faster as its speed', () => {
    const slow = served([{ chain: [], input: 1000, output: 5 }]).seen[0]?.endS ?? 0;
    const fast = served([{ chain: [], input: 1000, output: 5 }], { speed: 2 }).seen[0]?.endS ?? 0;
    expect(fast).toBeCloseTo(slow / 2, 9);
  });

  it('gives those that decode their token before a prompt gets the rest of a step', () => {
    const { seen } = served([
      { chain: [], input: 16, output: 100 },
      { chain: [], input: 2048, output: 1, atMs: 100 },
    ]);
    const alone = 2048 / 14_500 + 3.4e-9 * 2048 * 1024 + 0.001;
    // One token of its first step's budget is another's, so it needs a second step.
    expect((seen[1]?.firstS ?? 0) - 0.1).toBeGreaterThan(alone + 0.0105);
  });

  it('does not compute again what it has', () => {
    const { seen } = served([
      { chain: chainOf(10), input: 165, output: 1 },
      { chain: chainOf(10), input: 170, output: 1, atMs: 1000 },
      { chain: [...chainOf(5), 90, 91], input: 115, output: 1, atMs: 2000 },
    ]);
    expect(seen.map(({ cached }) => cached)).toEqual([0, 160, 80]);
  });

  it('computes at least one token of a prompt that it has all of', () => {
    const { seen } = served([
      { chain: chainOf(10), input: 160, output: 1 },
      { chain: chainOf(10), input: 160, output: 1, atMs: 1000 },
    ]);
    expect(seen[1]?.cached).toBe(144);
  });

  it('shares a prefix only once its chunk is computed', () => {
    const shared = { chain: chainOf(10), input: 165, output: 1 };
    // The first one keeps it busy, so that the next two begin together.
    const { seen } = served([{ chain: [], input: 10, output: 1 }, shared, shared, { ...shared, atMs: 1000 }]);
    expect(seen.map(({ cached }) => cached)).toEqual([0, 0, 0, 160]);
  });

  it('forgets what was used least recently, the end of a prompt before its beginning', () => {
    const profile = { ...a100, kvTokens: 16 * 12 };
    const { seen } = served(
      [
        { chain: chainOf(8), input: 130, output: 1 },
        { chain: chainOf(4, 50), input: 66, output: 1, atMs: 1000 },
        { chain: chainOf(8), input: 130, output: 1, atMs: 2000 },
      ],
      { profile },
    );
    // 8 shared pages and 4 free ones, and the second prompt takes 5.
    expect(seen[2]?.cached).toBe(16 * 7);
  });

  it('lets requests wait for memory in the order they came', () => {
    const profile = { ...a100, kvTokens: 16 * 20 };
    const { seen } = served(
      [
        { chain: [], input: 200, output: 50 },
        { chain: [], input: 200, output: 50 },
        { chain: [], input: 10, output: 1 },
      ],
      { profile },
    );
    expect(seen[1]?.firstS).toBeGreaterThan(seen[0]?.endS ?? Infinity);
    expect(seen[2]?.firstS).toBeGreaterThanOrEqual(seen[1]?.firstS ?? Infinity);
  });

  it('stops the youngest when a decode finds no page, and computes it again', () => {
    const profile = { ...a100, kvTokens: 16 * 20 };
    const wanted = { chain: [], input: 64, output: 150 };
    const { replica, seen } = served([wanted, wanted], { profile });
    expect(replica.preemptions).toBe(1);
    expect(seen.map(({ ends }) => ends)).toEqual([1, 1]);
    expect(seen[1]?.endS).toBeGreaterThan(seen[0]?.endS ?? Infinity);
  });

  it('says that a request can never fit', () => {
    const profile = { ...a100, kvTokens: 160 };
    expect(() => served([{ chain: [], input: 161, output: 1 }], { profile })).toThrow('161 + 1 tokens do not fit');
  });

  it('holds nothing once all have ended', () => {
    const { replica } = served(
      Array.from({ length: 50 }, (_, n) => ({ chain: chainOf(n % 7), input: 120, output: n + 1 })),
    );
    expect([replica.memory.use, replica.running, replica.waiting]).toEqual([0, 0, 0]);
  });

  it('loses all when it dies, and has forgotten everything', () => {
    const time = new VirtualTime();
    const replica = new Replica({ profile: a100, time, speed: 1, pageTokens: 16 });
    let lost = 0;
    const job = {
      chain: chainOf(4),
      input: 70,
      output: 1000,
      firstToken: () => {},
      grew: () => {},
      finished: () => {},
      lost: () => {
        lost++;
      },
    };
    replica.submit(job);
    replica.submit(job);
    time.at(1000, () => replica.die());
    time.runUntil(() => false);
    expect(lost).toBe(2);
    expect(replica.memory.cachedTokens(job)).toBe(0);
    expect(replica.memory.use).toBe(0);
  });
});

describe('a replica with slots', () => {
  const profile = { ...profiles['llamacpp-8b-q4'], slots: 2, maxSequences: 2, kvTokens: 2 * 4096 };

  it('runs as many as it has slots', () => {
    const wanted = { chain: [], input: 100, output: 20 };
    const { seen } = served([wanted, wanted, wanted], { profile });
    expect(seen[2]?.firstS).toBeGreaterThan(Math.min(seen[0]?.endS ?? Infinity, seen[1]?.endS ?? Infinity));
  });

  it('goes on in the slot of the same conversation, and takes the oldest for a new one', () => {
    const { seen } = served(
      [
        { chain: chainOf(10), input: 165, output: 1 },
        { chain: chainOf(10, 100), input: 165, output: 1, atMs: 1000 },
        { chain: chainOf(12), input: 200, output: 1, atMs: 2000 },
        { chain: chainOf(10, 200), input: 165, output: 1, atMs: 3000 },
        { chain: chainOf(12), input: 210, output: 1, atMs: 4000 },
        { chain: chainOf(10, 100), input: 165, output: 1, atMs: 5000 },
      ],
      { profile },
    );
    expect(seen.map(({ cached }) => cached)).toEqual([0, 0, 160, 0, 192, 0]);
  });
});
