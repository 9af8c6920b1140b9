import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MemberRenamer } from '../../../src/wire/rename-member.ts';

function rename(text: string, size: number): string {
  const renamer = new MemberRenamer('model', Buffer.from('"asked"'));
  const bytes = Buffer.from(text);
  const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, n) =>
    renamer.push(bytes.subarray(n * size, (n + 1) * size)),
  );
  return Buffer.concat(pieces).toString();
}

describe('renaming a member of a long reply', () => {
  it.each([
    [
      '{"data":[{"model":"inner","x":"\\"model\\":"}],"model":"own","usage":{"model":"u"}}',
      '{"data":[{"model":"inner","x":"\\"model\\":"}],"model":"asked","usage":{"model":"u"}}',
    ],
    ['{"model" : "o\\"w\\\\n" , "a":1.0}', '{"model" : "asked" , "a":1.0}'],
    ['{"a":"model","b":"model","model":"own"}', '{"a":"model","b":"model","model":"asked"}'],
    ['{"model":null,"a":"x"}', '{"model":null,"a":"x"}'],
    ['{"models":"x","xmodel":"y"}', '{"models":"x","xmodel":"y"}'],
  ])('changes %s only where it stands at depth 1, wherever it was cut', (text, expected) => {
    for (let size = 1; size <= text.length; size++) expect(rename(text, size)).toBe(expected);
  });

  it('does to any object what JSON would do', () => {
    const object = fc.tuple(fc.dictionary(fc.string(), fc.jsonValue()), fc.dictionary(fc.string(), fc.jsonValue()));
    fc.assert(
      fc.property(object, fc.integer({ min: 1, max: 20 }), ([before, after], size) => {
        const value = { ...before, model: 'own', ...after };
        const renamed = rename(JSON.stringify(value), size);
        expect(renamed).toBe(JSON.stringify(typeof value.model === 'string' ? { ...value, model: 'asked' } : value));
      }),
    );
  });
});
