import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { inPlace } from '../../../src/cli/watch-status.ts';

describe('a table that is drawn again', () => {
  it('starts in the corner and wipes what was below', () => {
    const drawn = inPlace(['a', 'b'], {});
    expect(stripVTControlCharacters(drawn)).toBe('a\nb\n');
    expect(inPlace(['a', 'b'], { rows: 0 })).toBe(drawn);
    expect(drawn).toContain('\u001b[Ha\u001b[K\nb\u001b[K\n\u001b[J');
  });

  it('says how much did not fit', () => {
    expect(stripVTControlCharacters(inPlace(['a', 'b', 'c', 'd'], { rows: 4 }))).toBe('a\nb\n… 2 more lines\n');
    expect(stripVTControlCharacters(inPlace(['a', 'b', 'c'], { rows: 4 }))).toBe('a\nb\nc\n');
  });
});
