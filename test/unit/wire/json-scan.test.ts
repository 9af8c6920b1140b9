import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { describePosition, jsonErrorOffset } from '../../../src/wire/json-error.ts';
import { type ScannedObject, scanObject } from '../../../src/wire/json-scan.ts';
import { splice } from '../../../src/wire/splice.ts';

function scanned(text: string): ScannedObject {
  const result = scanObject(Buffer.from(text));
  if (typeof result === 'string') throw new Error(result);
  return result;
}

function valueOf(text: string, member: string): string | undefined {
  const span = scanned(text).members.get(member);
  return span === undefined ? undefined : Buffer.from(text).toString('utf8', span.start, span.end);
}

describe('scanning a JSON object', () => {
  it('finds the bytes of every top-level value', () => {
    const text = ' {"a" : 1.50, "model":"gpt\\"4",\n"list":[1,{"model":"inner"}], "o":{"model":[]},"t":true }';
    expect(valueOf(text, 'a')).toBe('1.50');
    expect(valueOf(text, 'model')).toBe('"gpt\\"4"');
    expect(valueOf(text, 'list')).toBe('[1,{"model":"inner"}]');
    expect(valueOf(text, 'o')).toBe('{"model":[]}');
    expect(valueOf(text, 't')).toBe('true');
  });

  it('reads an escaped name as what it means', () => {
    expect(valueOf('{"mod\\u0065l":"x"}', 'model')).toBe('"x"');
  });

  it('notes a name that is said twice, however it is written', () => {
    expect([...scanned('{"model":"a","mod\\u0065l":"b"}').repeated]).toEqual(['model']);
  });

  it('counts a byte order mark as blank', () => {
    expect(valueOf('\uFEFF{"model":"x"}', 'model')).toBe('"x"');
  });

  it('is not misled by backslashes before a closing quote', () => {
    expect(valueOf('{"a":"\\\\","model":"x"}', 'model')).toBe('"x"');
    expect(valueOf('{"a":"\\\\\\"","model":"x"}', 'model')).toBe('"x"');
  });

  it.each([0, 1, 2, 3, 254, 255, 256, 257, 511, 512, 513])(
    'finds its end %i bytes behind an escaped quote',
    (length) => {
      for (const filling of [
        'x'.repeat(length),
        '\\\\'.repeat(length),
        '\\"'.repeat(length),
        '\\u0022'.repeat(length),
      ]) {
        const value = `"\\"${filling}"`;
        expect(valueOf(`{"a":${value},"model":"x"}`, 'a')).toBe(value);
        expect(scanObject(Buffer.from(`{"a":${value.slice(0, -1)}`))).toBe('malformed');
        expect(scanObject(Buffer.from(`{"a":${value.slice(0, -1)}\\"`))).toBe('malformed');
      }
    },
  );

  it.each([
    ['[]', 'not-an-object'],
    ['', 'not-an-object'],
    ['"model"', 'not-an-object'],
    ['{"model"', 'malformed'],
    ['{"model":"x', 'malformed'],
    ['{"model":}', 'malformed'],
    ['{"a":1 "b":2}', 'malformed'],
    [`{"a":${'['.repeat(64)}`, 'too-deep'],
    [`{"a":${'{"b":'.repeat(100_000)}`, 'too-deep'],
    [`{"${'k'.repeat(200_000)}":1}`, 'key-too-long'],
    [`{"a":{"${'k'.repeat(200_000)}":1}}`, 'key-too-long'],
    [`{${Array.from({ length: 100_001 }, (_, n) => `"${n}":1`).join()}}`, 'too-many-members'],
    [`{"a":[${'{},'.repeat(100_001)}{}]}`, 'too-many-members'],
    [`{"a":[${'1,'.repeat(1_000_001)}1]}`, 'too-many-members'],
    [`{"a":{${Array.from({ length: 100_001 }, (_, n) => `"${n}":1`).join()}}}`, 'too-many-members'],
  ])('refuses %.40s as %s', (text, problem) => {
    expect(scanObject(Buffer.from(text))).toBe(problem);
  });

  it('agrees with JSON.parse on every object there is', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.boolean(), (object, spaced) => {
        const text = JSON.stringify(object, null, spaced ? 2 : undefined);
        const { members } = scanned(text);
        const found = [...members].map(([name, { start, end }]) => [
          name,
          JSON.parse(Buffer.from(text).toString('utf8', start, end)),
        ]);
        expect(Object.fromEntries(found)).toEqual(JSON.parse(text));
      }),
    );
  });

  it('never throws, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect(scanObject(Buffer.from(bytes))).toBeDefined();
      }),
    );
  });
});

describe('the position of a JSON error', () => {
  it.each([
    ['{"a":tru}', 8],
    ['{"a" 1}', 5],
    ['{"a":1,}', 7],
    ['{"a":"x', 7],
    ['{"a":1} x', 8],
    ['{"a":01}', 6],
    ['{"a":"\u0001"}', 6],
    ['{"a":"\\x"}', 6],
    ["{'a':1}", 1],
  ])('in %s is %i', (text, offset) => {
    expect(jsonErrorOffset(text)).toBe(offset);
  });

  it('is told as line and column', () => {
    expect(describePosition('{\n "a": tru}', jsonErrorOffset('{\n "a": tru}'))).toBe('line 2, column 10');
  });

  it('is the end of the text exactly when JSON.parse takes it all', () => {
    const valid = (text: string) => {
      try {
        JSON.parse(text);
        return true;
      } catch {
        return false;
      }
    };
    const nearly = fc
      .tuple(fc.json(), fc.nat(), fc.constantFrom('', '"', '}', ',', '1', 'e', '\\'))
      .map(([json, at, inserted]) => {
        const cut = at % (json.length + 1);
        return json.slice(0, cut) + inserted + json.slice(cut);
      });
    fc.assert(
      fc.property(nearly, (text) => {
        // Where it ends too early, the error stands at its end too; so compare with a text that goes on.
        expect(jsonErrorOffset(`${text} x`) === text.length + 1).toBe(valid(text));
      }),
    );
  });
});

describe('splicing', () => {
  it('changes the spans named and no other byte', () => {
    const body = Buffer.from('{"seed":12345678901234567890,"model":"a","x":1e400}');
    const span = scanned(body.toString()).members.get('model');
    if (span === undefined) throw new Error('no model');
    expect(splice(body, [{ ...span, bytes: Buffer.from('"longer"') }]).toString()).toBe(
      '{"seed":12345678901234567890,"model":"longer","x":1e400}',
    );
  });

  it('without anything to change gives back the very same bytes', () => {
    const body = Buffer.from('{}');
    expect(splice(body, [])).toBe(body);
  });

  it('takes several, in any order, and insertions', () => {
    const body = Buffer.from('0123456789');
    const bytes = (text: string) => Buffer.from(text);
    expect(
      splice(body, [
        { start: 8, end: 9, bytes: bytes('X') },
        { start: 1, end: 1, bytes: bytes('ab') },
      ]).toString(),
    ).toBe('0ab1234567X9');
  });
});
