// Who has seen which prefix: deepest first, within bounds, and no longer than whoever has it remembers it.
import { describe, expect, it } from 'vitest';
import { depthOf, Fingerprint } from '../../../../src/selection/placement/fingerprint.ts';
import { Matches, PrefixIndex } from '../../../../src/selection/placement/prefix-index.ts';
import { seededRandom } from '../../../support/seeded-random.ts';

/** A prompt as a chain of numbers, one for each chunk. */
function aPrint(...chunks: readonly number[]): Fingerprint {
  const low = Uint32Array.from(chunks, (chunk) => Math.imul(chunk + 1, 0x9e37_79b1) >>> 0);
  return new Fingerprint(
    low,
    Uint32Array.from(chunks, () => 7),
    1_024 * chunks.length,
  );
}

function matchesIn(index: PrefixIndex, print: Fingerprint): readonly (readonly [backend: number, chunks: number])[] {
  const found = new Matches();
  index.match(print, found);
  return Array.from({ length: found.count }, (_, n) => [found.backends[n] ?? -1, (found.bytes[n] ?? 0) / 1_024]);
}

describe('the prefix index', () => {
  it('finds the deepest match of each holder', () => {
    const index = new PrefixIndex(1_024);
    index.insert(aPrint(1, 2, 3), 4);
    index.insert(aPrint(1, 2), 5);
    index.insert(aPrint(1), 6);
    expect(matchesIn(index, aPrint(1, 2, 3, 9))).toEqual([
      [4, 3],
      [5, 2],
      [6, 1],
    ]);
    expect(matchesIn(index, aPrint(8, 9))).toEqual([]);
  });

  it('remembers at most four holders of one prefix, those that were sent it last', () => {
    const index = new PrefixIndex(1_024);
    for (const backend of [1, 2, 3, 4]) index.insert(aPrint(1), backend);
    // The others have been sent something else since.
    for (const backend of [1, 3, 4]) {
      index.insert(aPrint(100 + backend), backend);
      index.insert(aPrint(1), backend);
    }
    index.insert(aPrint(200, 201), 2);
    index.insert(aPrint(1), 5);
    expect(
      matchesIn(index, aPrint(1))
        .map(([backend]) => backend)
        .toSorted((a, b) => a - b),
    ).toEqual([1, 3, 4, 5]);
  });

  it('forgets what a backend was sent more than its window ago, unless it was sent it again', () => {
    const index = new PrefixIndex(4_096);
    index.setWindow(1, 10);
    index.insert(aPrint(1), 1);
    index.insert(aPrint(2), 1);
    for (let n = 0; n < 9; n++) index.insert(aPrint(100 + n), 1);
    index.insert(aPrint(2), 1);
    index.insert(aPrint(200), 1);
    expect(matchesIn(index, aPrint(1))).toEqual([]);
    expect(matchesIn(index, aPrint(2))).toEqual([[1, 1]]);
  });

  it('never finds what was there before a restart, however often there is one, and whatever the window becomes', () => {
    const index = new PrefixIndex(1_024);
    index.insert(aPrint(1), 0);
    index.insert(aPrint(1), 3);
    for (let n = 0; n < 5_000; n++) {
      index.restart(3);
      if (n % 1_000 === 0) index.setWindow(3, 3_000 + n * 100);
      expect(matchesIn(index, aPrint(1))).toEqual([[0, 1]]);
    }
  });

  it('never exceeds its bound, and prefers what is fresh', () => {
    const index = new PrefixIndex(3_000);
    const random = seededRandom(3);
    index.setWindow(0, 100_000);
    for (let n = 0; n < 20_000; n++) index.insert(aPrint(Math.floor(random() * 2 ** 31)), 0);
    expect(index.maxEntries).toBe(2_048);
    expect(index.entries).toBeLessThanOrEqual(2_048);
    expect(index.bytes).toBe(2_048 * 32);
    const last = aPrint(1, 2, 3);
    index.insert(last, 0);
    expect(matchesIn(index, last)).toEqual([[0, 3]]);
  });

  it('loses nothing by growing', () => {
    const index = new PrefixIndex(2 ** 17);
    index.setWindow(0, 100_000);
    for (let n = 0; n < 20_000; n++) index.insert(aPrint(n), 0);
    expect(index.entries).toBe(20_000);
    expect(index.bytes).toBe(2 ** 15 * 32);
    for (let n = 0; n < 20_000; n++) expect(matchesIn(index, aPrint(n))).toEqual([[0, 1]]);
  });

  it('takes no memory before it is used, and none when it may have no entries', () => {
    const index = new PrefixIndex(2 ** 20);
    expect(matchesIn(index, aPrint(1))).toEqual([]);
    expect(index.bytes).toBe(0);
    const none = new PrefixIndex(0);
    none.insert(aPrint(1), 0);
    expect([none.bytes, matchesIn(none, aPrint(1))]).toEqual([0, []]);
  });

  it('forgets everything when it may have less than it has', () => {
    const index = new PrefixIndex(2 ** 16);
    for (let n = 0; n < 10_000; n++) index.insert(aPrint(n), 0);
    index.limit(2 ** 12);
    expect([index.entries, index.bytes]).toEqual([0, 0]);
    index.insert(aPrint(5), 0);
    expect(matchesIn(index, aPrint(5))).toEqual([[0, 1]]);
  });

  it('measures age by what was new between two points', () => {
    const index = new PrefixIndex(1_024);
    index.setWindow(0, 3);
    const [first] = [aPrint(1)];
    index.insert(first, 0);
    index.add(77, 7, 0, depthOf(64) - depthOf(63));
    expect(matchesIn(index, first)).toEqual([]);
  });
});
