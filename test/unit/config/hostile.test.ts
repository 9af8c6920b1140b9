// No text makes loading throw or hang.
import { array, assert, constantFrom, json, oneof, property, string } from 'fast-check';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { loadFleet } from '../../../src/config/load.ts';
import { load, said } from './support.ts';

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
];

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
