// Prompts as numbers: the same for the same bytes however they come, and for all that begins alike up to where it does.
import { describe, expect, it } from 'vitest';
import {
  chunkBytes,
  depthOf,
  type Fingerprint,
  Fingerprinter,
} from '../../../../src/selection/placement/fingerprint.ts';
import { seededRandom } from '../../../support/seeded-random.ts';

const random = seededRandom(11);
const upTo = (most: number) => Math.floor(random() * most);

function someBytes(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let at = 0; at < length; at++) bytes[at] = upTo(256);
  return bytes;
}

function printOf(
  bytes: Uint8Array,
  words: readonly string[] = ['m'],
  tools: Uint8Array = Buffer.alloc(0),
): Fingerprint {
  const fingerprinter = new Fingerprinter();
  fingerprinter.begin(words);
  if (tools.length > 0) fingerprinter.lead(tools);
  fingerprinter.push(bytes);
  return fingerprinter.end();
}

const keysOf = (print: Fingerprint) => Array.from({ length: print.length }, (_, point) => print.key(point));

describe('a fingerprint', () => {
  it('is the same for ten thousand bodies however they are cut', () => {
    const source = someBytes(40_000);
    const fingerprinter = new Fingerprinter();
    for (let n = 0; n < 10_000; n++) {
      const body: Buffer = source.subarray(upTo(8_000), 8_000 + upTo(n % 10 === 0 ? 30_000 : 3_000));
      fingerprinter.begin(['m', `${n}`]);
      fingerprinter.push(body);
      const whole = fingerprinter.end();
      fingerprinter.begin(['m', `${n}`]);
      for (let at = 0; at < body.length; ) {
        const end = Math.min(body.length, at + 1 + upTo(2_500));
        // A view of its own, at whatever place of the memory: what comes off a socket is not aligned.
        fingerprinter.push(Buffer.from(body.subarray(at, end)));
        at = end;
      }
      expect(fingerprinter.end()).toEqual(whole);
    }
  });

  it('has the points of a shorter prompt that it begins with, and no others', () => {
    const long = someBytes(300_000);
    const changed = Buffer.from(long);
    changed[100_000] = (changed[100_000] ?? 0) ^ 1;
    const [print, other] = [printOf(long), printOf(changed)];
    expect(keysOf(printOf(long.subarray(0, 50_000)))).toEqual(keysOf(print).slice(0, 48));
    expect(print.length).toBe(other.length);
    for (let point = 0; point < print.length; point++)
      expect(print.key(point) === other.key(point)).toBe(depthOf(point) <= 100_000);
  });

  it('stands behind every KiB up to 64, every four up to 256, and every sixteen beyond', () => {
    const depths = Array.from({ length: 116 }, (_, point) => depthOf(point) / chunkBytes);
    expect(depths.slice(0, 64)).toEqual(Array.from({ length: 64 }, (_, n) => n + 1));
    expect(depths.slice(62, 68)).toEqual([63, 64, 68, 72, 76, 80]);
    expect(depths.slice(110)).toEqual([252, 256, 272, 288, 304, 320]);
    expect(printOf(Buffer.alloc(1_048_576)).length).toBe(64 + 48 + 48);
    expect(printOf(Buffer.alloc(8 * 1_048_576)).length).toBe(512);
  });

  it('is another one for another model, another salt, or other tools', () => {
    const body = someBytes(2_048);
    const prints = [
      printOf(body, ['m']),
      printOf(body, ['m', 's']),
      printOf(body, ['ms']),
      printOf(body, ['n']),
      printOf(body, ['m'], Buffer.from('[{"type":"function"}]')),
      printOf(body, ['m'], Buffer.from('[{"type":"functiom"}]')),
    ];
    expect(new Set(prints.map((print) => print.key(1))).size).toBe(prints.length);
  });

  it('knows how long the prompt is and what stood before it, and has no point in less than a KiB', () => {
    const print = printOf(someBytes(1_023), ['m'], someBytes(77));
    expect([print.length, print.bytes, print.leadBytes]).toEqual([0, 1_023, 77]);
  });

  it('meets no other one among a hundred thousand that differ in one number', () => {
    const body = Buffer.alloc(chunkBytes);
    const fingerprinter = new Fingerprinter();
    const keys = new Set<number>();
    for (let n = 0; n < 100_000; n++) {
      body.writeUInt32LE(n, 4 * (n % 200));
      fingerprinter.begin(['m']);
      fingerprinter.push(body);
      keys.add(fingerprinter.end().key(0));
    }
    expect(keys.size).toBe(100_000);
  });
});
