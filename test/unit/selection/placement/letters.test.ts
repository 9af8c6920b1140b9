// What routers write to each other, as bytes and back; and bytes that nobody has written.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeLetter, encodeLetter, type Letter } from '../../../../src/selection/placement/letters.ts';

const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
const name = fc.tuple(u32, u32).map((halves) => halves.map((half) => half.toString(16).padStart(8, '0')).join(''));
const load = fc.record({
  backend: u32,
  requests: fc.integer({ min: 0, max: 0xffff }),
  pending: u32,
  resident: u32,
});
const key = fc
  .tuple(fc.integer({ min: 0, max: 2 ** 21 - 1 }), fc.integer({ min: 1, max: 0xffff_ffff }))
  .map(([high, low]) => high * 2 ** 32 + low);
const prefix = fc
  .record({
    backend: u32,
    at: fc.uniqueArray(fc.tuple(fc.integer({ min: 0, max: 511 }), key), { maxLength: 16, selector: ([at]) => at }),
  })
  .map(({ backend, at }) => {
    const sorted = at.toSorted(([a], [b]) => a - b);
    return {
      backend,
      points: Uint16Array.from(sorted, ([point]) => point),
      keys: Float64Array.from(sorted, ([, hash]) => hash),
    };
  });
const letter: fc.Arbitrary<Letter> = fc.oneof(
  fc.record({
    kind: fc.constantFrom('news' as const, 'whole' as const),
    sender: name,
    sequence: u32,
    message: fc.record({ loads: fc.array(load), prefixes: fc.array(prefix) }),
  }),
  fc.record({ kind: fc.constant('wanted' as const), sender: name, of: name }),
  fc.record({ kind: fc.constant('farewell' as const), sender: name }),
);

describe('a letter', () => {
  it('is read as it was written', () => {
    fc.assert(
      fc.property(letter, (written) => {
        expect(decodeLetter(encodeLetter(written))).toEqual(written);
      }),
    );
  });

  it('is no letter when its end is missing', () => {
    fc.assert(
      fc.property(letter, fc.nat(), (written, cut) => {
        const bytes = encodeLetter(written);
        expect(decodeLetter(bytes.subarray(0, cut % bytes.length))).toBeUndefined();
      }),
    );
  });

  it('tells of more than has room as the most that has', () => {
    const loads = [{ backend: 1, requests: 70_000, pending: 5e9, resident: -1 }];
    const bytes = encodeLetter({ kind: 'news', sender: '0'.repeat(16), sequence: 0, message: { loads, prefixes: [] } });
    expect(decodeLetter(bytes)).toMatchObject({
      message: { loads: [{ backend: 1, requests: 65_535, pending: 4_294_967_295, resident: 0 }] },
    });
  });
});

describe('bytes that nobody has written', () => {
  it('are a letter or none, and never an error', () => {
    const kinds = [undefined, 'news', 'whole', 'wanted', 'farewell'];
    const read = (bytes: Uint8Array) => {
      expect(kinds).toContain(decodeLetter(bytes)?.kind);
    };
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), read), { numRuns: 500 });
    const almost = fc.tuple(fc.integer({ min: 0, max: 4 }), fc.uint8Array({ maxLength: 200 }));
    fc.assert(
      fc.property(almost, ([kind, rest]) => read(Uint8Array.from([1, kind, ...rest]))),
      { numRuns: 500 },
    );
  });

  it('are none of another version, and none whose prefixes get shallower', () => {
    const sender = '0123456789abcdef';
    const bytes = encodeLetter({ kind: 'farewell', sender });
    expect(decodeLetter(bytes)).toEqual({ kind: 'farewell', sender });
    bytes[0] = 2;
    expect(decodeLetter(bytes)).toBeUndefined();
    const prefixes = [{ backend: 1, points: Uint16Array.of(3, 2), keys: Float64Array.of(7, 8) }];
    const message = { loads: [], prefixes };
    expect(decodeLetter(encodeLetter({ kind: 'news', sender, sequence: 1, message }))).toBeUndefined();
  });
});
