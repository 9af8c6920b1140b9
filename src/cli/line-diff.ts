// Which lines differ between two texts, as people read it: those that go with a -, those that come with a +.

/** Above this many comparisons everything between the first and the last difference is shown as replaced. */
const mostComparisons = 4_000_000;

/** Empty where nothing differs. Each block begins with the number of its line in `before`. */
export function lineDiff(before: string, after: string): string {
  const [old, now] = [before.split('\n'), after.split('\n')];
  let start = 0;
  while (start < old.length && start < now.length && old[start] === now[start]) start++;
  let end = 0;
  while (end < old.length - start && end < now.length - start && old.at(-1 - end) === now.at(-1 - end)) end++;
  const [left, right] = [old.slice(start, old.length - end), now.slice(start, now.length - end)];
  const lines: string[] = [];
  let at = start;
  let isOpen = false;
  for (const [sign, line] of steps(left, right)) {
    if (sign !== ' ') {
      if (!isOpen) lines.push(`@@ line ${at + 1} @@`);
      lines.push(sign + line);
    }
    isOpen = sign !== ' ';
    if (sign !== '+') at++;
  }
  return lines.map((line) => `${line}\n`).join('');
}

type Step = readonly [sign: ' ' | '-' | '+', line: string];

/** By their longest common subsequence. */
function steps(left: readonly string[], right: readonly string[]): readonly Step[] {
  const all = (sign: '-' | '+', lines: readonly string[]) => lines.map((line): Step => [sign, line]);
  if (left.length * right.length > mostComparisons) return [...all('-', left), ...all('+', right)];
  const width = right.length + 1;
  const longest = new Uint32Array((left.length + 1) * width);
  const read = (row: number, column: number) => longest[row * width + column] ?? 0;
  for (let row = left.length - 1; row >= 0; row--)
    for (let column = right.length - 1; column >= 0; column--)
      longest[row * width + column] =
        left[row] === right[column]
          ? read(row + 1, column + 1) + 1
          : Math.max(read(row + 1, column), read(row, column + 1));
  const found: Step[] = [];
  let [row, column] = [0, 0];
  while (row < left.length && column < right.length) {
    const [one = '', other = ''] = [left[row], right[column]];
    if (one === other) {
      found.push([' ', one]);
      row++;
      column++;
    } else if (read(row + 1, column) >= read(row, column + 1)) {
      found.push(['-', one]);
      row++;
    } else {
      found.push(['+', other]);
      column++;
    }
  }
  return [...found, ...all('-', left.slice(row)), ...all('+', right.slice(column))];
}
