// Homes: the same everywhere, in proportion to weight, and moved by nobody but who joins or leaves; and which part of a prompt
// is at home at all.
import { describe, expect, it } from 'vitest';
import { HeavyPrefixes } from '../../../../src/selection/placement/heavy.ts';
import { Homes, nearness } from '../../../../src/selection/placement/homes.ts';
import { aJob } from './placed.ts';

function homesOf(key: number, weights: readonly number[]): readonly [number, number] {
  const homes = new Homes();
  const backends = Int32Array.from(weights, (_, n) => n);
  const id = Uint32Array.from(weights, (_, n) => n * 7_919 + 1);
  homes.find(key, { backends, count: weights.length }, { id, weight: Float64Array.from(weights) });
  return [homes.first, homes.second];
}

describe('a home', () => {
  it('is one of the two nearest', () => {
    for (let key = 1; key < 2_000; key++) {
      const weights = [1, 3, 0.5, 2, 1, 1, 4];
      const near = weights.map((weight, n) => nearness(key, n * 7_919 + 1, weight));
      const [first, second] = near.toSorted((a, b) => b - a);
      expect(homesOf(key, weights).map((home) => near[home])).toEqual([first, second]);
    }
  });

  it('is had in proportion to weight', () => {
    const had = [0, 0, 0];
    for (let key = 1; key <= 12_000; key++) {
      const [first] = homesOf(key, [1, 2, 3]);
      had[first] = (had[first] ?? 0) + 1;
    }
    for (const [n, count] of had.entries()) expect(Math.abs(count - 2_000 * (n + 1))).toBeLessThan(250);
  });

  it('moves only to who joins', () => {
    for (let key = 1; key < 2_000; key++) {
      const [before] = homesOf(key, [1, 1, 1, 1]);
      const [after] = homesOf(key, [1, 1, 1, 1, 1]);
      expect([before, 4]).toContain(after);
    }
  });

  it('is there for one that is alone, and has no second', () => {
    expect(homesOf(5, [1])).toEqual([0, -1]);
  });
});

describe('what tells prompts apart', () => {
  it('is the first point that few have in common: behind a beginning that all share, at a context that a few do', () => {
    const heavy = new HeavyPrefixes();
    const prompt = (context: number, n: number) => aJob({ chunks: [1, 2, 100 + context, 1_000 + n, 9] }).print;
    for (let n = 0; n < 2_000; n++) heavy.note(prompt(n % 40, n), 0.5 / 8);
    expect(heavy.tellingPoint(prompt(3, 1), 0.5 / 8)).toBe(2);
    // With so many backends that one context is more than a share of its own, its conversations are told apart.
    for (let n = 0; n < 2_000; n++) heavy.note(prompt(n % 40, n), 0.5 / 100);
    expect(heavy.tellingPoint(prompt(3, 1), 0.5 / 100)).toBe(3);
    expect(heavy.tellingPoint(aJob({ chunks: [77, 78] }).print, 0.5 / 8)).toBe(0);
  });

  it('is nothing in a prompt that is too short', () => {
    expect(new HeavyPrefixes().tellingPoint(aJob({ chunks: [] }).print, 0.1)).toBe(-1);
  });
});
