import { describe, expect, it } from 'vitest';
import { columns } from '../../../src/cli/columns.ts';

describe('columns', () => {
  it('are as wide as their widest cell, and end without blanks', () => {
    expect(
      columns([
        ['BACKEND', 'STATE', 'LAST'],
        ['a', 'draining', ''],
        ['a-long-name', 'up', '2 m ago'],
      ]),
    ).toEqual(['BACKEND      STATE     LAST', 'a            draining', 'a-long-name  up        2 m ago']);
  });

  it('count what is seen of a coloured cell', () => {
    const [header, row] = columns([
      ['STATE', 'NEXT'],
      ['\u001b[32mup\u001b[39m', 'x'],
    ]);
    expect(header).toBe('STATE  NEXT');
    expect(row).toBe('\u001b[32mup\u001b[39m     x');
  });

  it('may be indented, and have rows of different length', () => {
    expect(columns([['A'], ['b', 'c']], '  ')).toEqual(['  A', '  b  c']);
    expect(columns([])).toEqual([]);
  });
});
