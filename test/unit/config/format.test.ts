import { readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { createReport } from '../../../src/config/diagnostics.ts';
import { formatFleetFile } from '../../../src/config/format.ts';
import { plain } from '../../../src/config/leaves.ts';
import { parseTree } from '../../../src/config/parse.ts';
import { valid } from './support.ts';

function formatted(text: string): string {
  const found = formatFleetFile(text, 'fleet.yaml');
  if ('text' in found) return found.text;
  throw new Error(JSON.stringify(found.problems));
}

function meaning(text: string): unknown {
  const tree = parseTree(text, { A: 'a' }, createReport('fleet.yaml'));
  return tree && plain(tree);
}

const example = readFileSync(new URL('../../../config/fleet.example.yaml', import.meta.url), 'utf8');
const words = fc.oneof(
  fc.constantFrom(
    'a',
    '1',
    '1.50',
    'true',
    '~',
    '${A}',
    '${B:-x y}',
    '# no comment',
    'k: v',
    "it's",
    '"q"',
    ' lead',
    '-',
  ),
  fc.string({ maxLength: 12 }),
);
const { tree: trees } = fc.letrec((tie) => ({
  tree: fc.oneof({ maxDepth: 4 }, words, fc.integer(), fc.boolean(), tie('list'), tie('map')),
  list: fc.array(tie('tree'), { maxLength: 4 }),
  map: fc.dictionary(fc.stringMatching(/^[a-z][a-z0-9_.-]{0,9}$/), tie('tree'), { maxKeys: 4 }),
}));
const layouts = fc.record({
  indent: fc.constantFrom(1, 2, 4, 7),
  indentSeq: fc.boolean(),
  lineWidth: fc.constantFrom(0, 20, 80),
  defaultStringType: fc.constantFrom('PLAIN' as const, 'QUOTE_DOUBLE' as const, 'QUOTE_SINGLE' as const),
  collectionStyle: fc.constantFrom('any' as const, 'flow' as const),
});

/** Puts comments and blanks where they may stand: at the ends of lines, and on lines of their own. */
function strewn(text: string, places: readonly number[]): string {
  const lines = text.split('\n');
  for (const place of places) {
    const at = place % lines.length;
    const line = lines[at] ?? '';
    if (/^[\w.-]+: *[\w]*$/.test(line)) lines[at] = `${line}   # beside ${place}`;
    else if (/^[\w.-]+:/.test(line)) lines[at] = `# above ${place}\n\n\n${line}  `;
  }
  return lines.join('\n');
}

describe('formatting', () => {
  it('leaves the shipped fleet files as they are, with their first line', () => {
    expect(formatted(example)).toBe(example);
    const short = readFileSync(new URL('../../../config/fleet.yaml', import.meta.url), 'utf8');
    expect(formatted(short)).toBe(short);
  });

  it('gives every file the same layout', () => {
    const text = `# yaml-language-server: $schema=./fleet.schema.json
version:   1


backends:   # the boxes
- url: http://h:1   # a
-   url: 'http://h:2'
    models: [ a,b,   c ]

# the end of all`;
    expect(formatted(text)).toBe(`# yaml-language-server: $schema=./fleet.schema.json
version: 1

backends: # the boxes
  - url: http://h:1 # a
  - url: 'http://h:2'
    models: [a, b, c]

# the end of all
`);
  });

  it('gives long lists in brackets lines of their own', () => {
    const names = Array.from({ length: 20 }, (_, n) => `model-${n}`);
    const text = `version: 1\nbackends: [{ url: "http://h:1", models: [${names.join(',')}] }]\n`;
    expect(formatted(text).split('\n').slice(0, 5)).toEqual([
      'version: 1',
      'backends:',
      '  - url: "http://h:1"',
      '    models:',
      '      - model-0',
    ]);
    expect(valid(formatted(text)).fleet).toEqual(valid(text).fleet);
  });

  it('is done when it was done once, and changes no meaning', () => {
    fc.assert(
      fc.property(trees, layouts, fc.array(fc.nat(40), { maxLength: 4 }), (tree, layout, places) => {
        const text = strewn(stringify({ version: 1, tree }, layout), places);
        const found = formatFleetFile(text, 'fleet.yaml');
        // What no fleet file may hold, or what is left as it is.
        const once = 'text' in found ? found.text : text;
        const twice = formatFleetFile(once, 'fleet.yaml');
        expect('text' in twice ? twice.text : once).toBe(once);
        expect(meaning(once)).toEqual(meaning(text));
        for (const [comment] of text.matchAll(/# (?:beside|above) \d+/g)) expect(once).toContain(comment);
      }),
      { numRuns: 400 },
    );
  });

  it('does nearly all of them', () => {
    let done = 0;
    fc.assert(
      fc.property(trees, layouts, (tree, layout) => {
        if ('text' in formatFleetFile(stringify({ tree }, layout), 'fleet.yaml')) done++;
      }),
      { numRuns: 300, seed: 1 },
    );
    expect(done).toBeGreaterThan(285);
  });

  it.each(['', '# nothing yet\n', '---\n'])('puts nothing into a file that holds nothing: %j', (text) => {
    expect(formatted(text)).toBe(text);
  });

  it('takes Windows line ends and a byte order mark away', () => {
    expect(formatted('\uFEFFversion: 1\r\nbackends:\r\n- url: http://h:1 # a\r\n')).toBe(
      'version: 1\nbackends:\n  - url: http://h:1 # a\n',
    );
  });

  it('says what is wrong with a file that is no YAML, and leaves one alone that it can not keep', () => {
    expect(formatFleetFile('a: [1\n', 'fleet.yaml')).toMatchObject({ problems: [{ severity: 'error', line: 2 }] });
    expect(formatFleetFile('a: &x 1\n', 'fleet.yaml')).toMatchObject({ problems: [{ line: 1, col: 4 }] });
    expect(formatFleetFile('a: 1 # \u{F0000}\n', 'fleet.yaml')).toMatchObject({
      problems: [{ message: expect.stringContaining('without changing it') }],
    });
  });
});
