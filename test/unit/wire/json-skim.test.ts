import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bytesOfText, skim } from '../../../src/wire/json-skim.ts';

const whole = (bytes: Buffer) => skim(bytes, { start: 0, end: bytes.length });
const skimmed = (text: string): unknown => JSON.parse(whole(Buffer.from(text)) ?? 'undefined');

/** What a value says, with the number of its bytes in place of each long text. */
function withSizes(value: unknown): unknown {
  if (typeof value === 'string')
    return value.startsWith('\ufdd0') || Buffer.byteLength(value) >= 1_024 ? bytesOfText(value) : value;
  if (Array.isArray(value)) return value.map(withSizes);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withSizes(item)]));
}

describe('a JSON text without its long strings', () => {
  it('says the same, and of long strings how long they are', () => {
    const long = fc.nat(2_000).map((length) => 'lorem – 測試 '.repeat(200).slice(0, length));
    const text = fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.constantFrom('\\', '"', '\n"', 'a:"b'), long);
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { depthSize: 'small' },
        text,
        fc.integer(),
        fc.boolean(),
        fc.constant(null),
        fc.array(tie('value'), { maxLength: 5 }),
        fc.dictionary(text, tie('value'), { maxKeys: 5, noNullPrototype: true }),
      ),
    }));
    fc.assert(
      fc.property(value, fc.constantFrom(undefined, 1), (given, indent) => {
        // Of texts with escapes the bytes are counted as they are written.
        const plain = JSON.parse(JSON.stringify(given).replaceAll(/\\[nrtbf"\\]|\\u.{4}|\ufdd0/g, 'x')) as unknown;
        expect(withSizes(skimmed(JSON.stringify(plain, undefined, indent)))).toEqual(withSizes(plain));
      }),
      { numRuns: 500 },
    );
  });

  it('takes nothing that a caller has written for one of its own', () => {
    for (const forged of ['"\ufdd0999999"', '"\\ufdd0999999"', '"\\uFDD0999999"', '"\\uFdD0"']) {
      const { content } = skimmed(`{"content":${forged}}`) as { content: string };
      expect(bytesOfText(content)).toBe(Buffer.byteLength(forged) - 2);
    }
  });

  it('leaves the names of members, and what begins with an escape, as they are', () => {
    const name = 'n'.repeat(2_000);
    expect(skimmed(`{"${name}" : 1, "\\u006dodel": "\\u0062ig"}`)).toEqual({ [name]: 1, model: 'big' });
  });

  it('keeps what stands outside of the prompt, however long it is', () => {
    const [name, long] = ['n'.repeat(2_000), 'x'.repeat(2_000)];
    const text = `{"model":"${name}","prompt":"${long}","session_id":"${name}"}`;
    const start = text.indexOf(`"${long}`);
    const short = skim(Buffer.from(text), { start, end: start + long.length + 2 }) ?? '';
    expect(JSON.parse(short)).toEqual({ model: name, prompt: '\ufdd02000', session_id: name });
  });

  it('is none where what it was made of is none', () => {
    const long = 'x'.repeat(2_000);
    for (const broken of [
      `{"a":"${long}"`,
      `{"a":"${long}}`,
      `{"a":"${long}",}`,
      `{"a" "${long}"}`,
      `{"a":"${long}"} b`,
    ])
      expect(() => skimmed(broken)).toThrow(SyntaxError);
  });

  it('is not made where most of a text is short strings', () => {
    expect(whole(Buffer.from(JSON.stringify(Array.from({ length: 3_000 }, () => 'short'))))).toBeUndefined();
    expect(whole(Buffer.from(JSON.stringify(Array.from({ length: 3_000 }, () => 'l'.repeat(1_100)))))).toBeDefined();
  });
});
