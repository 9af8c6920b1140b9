// Columns as `kubectl` prints them: words, two blanks, no lines around them.
import { stripVTControlCharacters } from 'node:util';

/** The first row is the header. Cells may be coloured: widths are those of what is seen. No newline at the end of a line. */
export function columns(rows: readonly (readonly string[])[], indent = ''): readonly string[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [at, cell] of row.entries()) widths[at] = Math.max(widths[at] ?? 0, seen(cell));
  }
  return rows.map((row) =>
    (indent + row.map((cell, at) => cell + ' '.repeat((widths[at] ?? 0) - seen(cell))).join('  ')).trimEnd(),
  );
}

function seen(cell: string): number {
  return stripVTControlCharacters(cell).length;
}
