// Durations and sizes as people write them: `250ms`, `5m`, `8MiB`. A bare number is refused: nobody can see its unit.

export type Quantity = { readonly value: number } | { readonly problem: string; readonly hint: string };

const durations = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as const;
const sizes = { B: 1, KB: 1e3, MB: 1e6, GB: 1e9, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 } as const;

// Timers take 31 bits; what is above fires at once instead of late.
const longestMs = 2 ** 31 - 1;
const largestBytes = 2 ** 30;

/** What parses, for editors: a regular expression. */
export const durationPattern = patternOf(durations);
export const sizePattern = patternOf(sizes);

/** In milliseconds. */
export function parseDuration(text: string): Quantity {
  const hint = 'add a unit: 250ms, 20s, 5m, 1h';
  const quantity = parse(text, new Map(Object.entries(durations)), 'a duration', hint);
  if ('value' in quantity && quantity.value > longestMs)
    return { problem: 'a duration beyond 24 days', hint: 'at most 576h' };
  return quantity;
}

/** In bytes. */
export function parseSize(text: string): Quantity {
  const quantity = parse(text, new Map(Object.entries(sizes)), 'a size', 'add a unit: 512KiB, 8MiB, 1GB');
  if ('value' in quantity && quantity.value > largestBytes)
    return { problem: 'a size beyond 1GiB', hint: 'at most 1GiB' };
  return quantity;
}

/** As `parseDuration` reads it, in the largest unit that needs no fraction. */
export function formatDuration(ms: number): string {
  const [unit, scale] = Object.entries(durations)
    .toReversed()
    .find(([, one]) => ms > 0 && ms % one === 0) ?? ['s', 1_000];
  return `${ms / scale}${unit}`;
}

/** As `parseSize` reads it. */
export function formatSize(bytes: number): string {
  const binary = Object.entries(sizes).filter(([name]) => name === 'B' || name.endsWith('iB'));
  const [unit, scale] = binary.toReversed().find(([, one]) => bytes > 0 && bytes % one === 0) ?? ['B', 1];
  return `${bytes / scale}${unit}`;
}

function parse(text: string, units: ReadonlyMap<string, number>, what: string, hint: string): Quantity {
  const match = /^(\d{1,15}(?:\.\d{1,3})?) ?([A-Za-z]*)$/.exec(text);
  if (!match) return { problem: `expected ${what}`, hint };
  const [, count = '', unit = ''] = match;
  if (unit === '') return { problem: `${what} without a unit`, hint };
  const scale = units.get(unit);
  if (scale === undefined)
    return { problem: `${what} with an unknown unit`, hint: `one of ${[...units.keys()].join(', ')}` };
  return { value: Math.round(Number(count) * scale) };
}

function patternOf(units: object): string {
  return `^\\d{1,15}(?:\\.\\d{1,3})? ?(?:${Object.keys(units).join('|')})$`;
}
