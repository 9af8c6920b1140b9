// No text makes loading throw or hang.
import { array, assert, constantFrom, integer, json, nat, oneof, property, record, string } from 'fast-check';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { loadFleet } from '../../../src/config/load.ts';
import { root } from '../../support/router-process.ts';
import { load, said, valid } from './support.ts';

const pieces = [
  '[',
  ']',
  '{',
  '}',
  '- ',
  '? ',
  ': ',
  'a: ',
  '\n',
  '  ',
  '\t',
  '"',
  "'",
  '|\n',
  '>-\n',
  '# ',
  '#[',
  '&a ',
  '*a ',
  '!t ',
  '---\n',
  '...\n',
  '%Y\n',
];
const words = [
  'version: 1',
  'backends',
  'url: http://h:1',
  'models:',
  '${A}',
  '${A:-',
  '$${',
  '__proto__',
  'constructor',
  '\r\n',
  '\0',
  '🦊',
  ',',
  '<<: ',
  'length: ',
  'toString: ',
];

const example = readFileSync(join(root, 'config/fleet.example.yaml'), 'utf8');
const short =
  'version: 1\nbackends:\n  - { url: "http://h:1", name: a, weight: 2 }\nrouting: { queue: { max_wait: 5s } }\n';

interface Change {
  readonly how: 'cut' | 'insert' | 'repeat' | 'swap' | 'shift' | 'end' | 'character';
  readonly at: number;
  readonly count: number;
  readonly what: string;
}

/** One change to a text: of lines, of what stands in them, or of how far in they stand. */
function changed(text: string, { how, at, count, what }: Change): string {
  const lines = text.split('\n');
  const n = at % lines.length;
  const place = at % (text.length + 1);
  switch (how) {
    case 'cut':
      return lines.toSpliced(n, count).join('\n');
    case 'repeat':
      return lines.toSpliced(n, 0, ...lines.slice(n, n + count)).join('\n');
    case 'swap':
      return lines.toSpliced(n, 2, lines[n + 1] ?? '', lines[n] ?? '').join('\n');
    case 'shift':
      return lines.toSpliced(n, 1, ' '.repeat(count) + (lines[n] ?? '').slice(count % 3)).join('\n');
    case 'end':
      return text.slice(0, place);
    case 'insert':
      return text.slice(0, place) + what + text.slice(place);
    case 'character':
      return text.slice(0, place) + what + text.slice(place + what.length);
    default:
      return how satisfies never;
  }
}

describe('a good file with something wrong in it', () => {
  const change = record<Change>({
    how: constantFrom('cut', 'insert', 'repeat', 'swap', 'shift', 'end', 'character'),
    at: nat(),
    count: integer({ min: 1, max: 6 }),
    what: oneof(
      constantFrom(...pieces, ...words, '-1', '1e999', '.inf', '~', 'true', '5s', '"'),
      string({ maxLength: 3 }),
    ),
  });

  it('has its problems on the right lines behind a quote that is never closed', () => {
    expect(said(short.replace(/ }\n$/, '"}\n'))).toContain(
      'fleet.yaml:5:1: error: the indentation does not fit the lines above',
    );
  });

  it('is a fleet still, or its problems stand at places that are in it', () => {
    valid(short);
    assert(
      property(constantFrom(example, short, short), array(change, { minLength: 1, maxLength: 4 }), (text, changes) => {
        const written = changes.reduce(changed, text);
        const loaded = load(written, { env: { SEARCH_TEAM_KEY: 'sk-1' } });
        const problems = 'fleet' in loaded ? loaded.warnings : loaded.problems;
        expect('fleet' in loaded || loaded.problems.some(({ severity }) => severity === 'error')).toBe(true);
        const lines = written.split('\n');
        for (const { file, line, col, message } of problems) {
          expect({ file, line, col, message, isInside: isInside(lines, line, col) }).toMatchObject({ isInside: true });
        }
      }),
      { numRuns: 150 },
    );
  });
});

/** Line 0 is the file as a whole; a column may be the one behind the last. */
function isInside(lines: readonly string[], line: number, col: number): boolean {
  if (line === 0) return col === 0;
  const text = lines[line - 1];
  return text !== undefined && col >= 1 && col <= text.length + 1;
}

describe('hostile text', () => {
  it('is answered with problems or a fleet, whatever it is', () => {
    const yamlish = array(constantFrom(...pieces, ...words), { maxLength: 60 }).map((parts) => parts.join(''));
    const text = oneof(
      yamlish,
      string({ unit: 'binary' }),
      json().map((value) => `version: 1\nbackends: ${value}\n`),
    );
    assert(
      property(text, (written) => {
        const loaded = load(written, { env: { A: 'b' } });
        expect('fleet' in loaded || loaded.problems.length > 0).toBe(true);
      }),
      { numRuns: 1_000 },
    );
  });

  it.each([
    ['flow lists', 'a: ' + '['.repeat(1_000)],
    ['flow maps', '{a: '.repeat(1_000)],
    ['lists on one line', '- '.repeat(1_000)],
    ['keys on one line', '? '.repeat(1_000)],
    ['empty keys on one line', ': '.repeat(1_000)],
    ['indentation', Array.from({ length: 500 }, (_, depth) => `${' '.repeat(depth)}a:\n`).join('')],
    ['brackets closed only in comments and text', Array.from({ length: 500 }, () => '[ "]", # ]\n').join(' ')],
  ])('that nests by %s is refused before it is composed', (_, text) => {
    expect(said(text).join('\n')).toContain('nested more than 32 levels deep');
  });

  it('may hold brackets in text and comments, and 32 levels', () => {
    const brackets = '['.repeat(100);
    expect(
      said(`version: 1 # ${brackets}\nbackends:\n  - { url: http://h:1, name: "${brackets}" }\n`).join('\n'),
    ).not.toContain('nested');
    expect(said(`${'['.repeat(32)}${']'.repeat(32)}`).join('\n')).not.toContain('nested');
    expect(said(`${'['.repeat(33)}${']'.repeat(33)}`)).toEqual([
      'fleet.yaml:1:33: error: nested more than 32 levels deep',
    ]);
  });

  it.each(['{ length: { a: 1 } }', '{ length: [{ a: 1 }, { b: 2 }] }'])(
    'that has %s in place of a list or a text is told what was expected',
    (mapping) => {
      expect(said(`version: 1\nbackends: ${mapping}\n`)).toContain(
        'fleet.yaml:2:11: error: expected a list, found a mapping at backends',
      );
      expect(said(`version: 1\nbackends:\n  - url: ${mapping}\n`)).toContain(
        'fleet.yaml:3:10: error: expected text, found a mapping at backends[0].url',
      );
    },
  );

  it('of more than 1 MiB, or of very many parts, is refused', () => {
    expect(said(`# ${'x'.repeat(2 ** 20)}`)).toEqual(['fleet.yaml: error: the file is larger than 1 MiB']);
    expect(said('a: []\n'.repeat(50_000)).join('\n')).toContain('more than a fleet file can need');
  });

  it('that is not text, or no file, is a problem of the whole file', () => {
    const folder = mkdtempSync(join(tmpdir(), 'switchyard-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const path = join(folder, 'fleet.yaml');
    writeFileSync(path, Buffer.from([0x76, 0xff, 0xfe]));
    expect(loadFleet({ path, env: {} })).toMatchObject({
      problems: [{ line: 0, message: 'the fleet file is not UTF-8 text' }],
    });
    expect(loadFleet({ path: `${path}.gone`, env: {} })).toMatchObject({
      problems: [{ message: 'cannot read the fleet file: no such file' }],
    });
    expect(loadFleet({ path: tmpdir(), env: {} })).toMatchObject({
      problems: [{ message: 'cannot read the fleet file: it is a directory' }],
    });
  });
});
