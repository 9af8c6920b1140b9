// Reads single series out of the Prometheus text format, without parsing the rest of the page.
// https://prometheus.io/docs/instrumenting/exposition_formats/#text-format-details

export interface Sample {
  readonly labels: ReadonlyMap<string, string>;
  /** Finite; samples that are not are left out. */
  readonly value: number;
}

/** All samples of exactly this name; malformed lines are skipped. */
export function readSamples(page: string, name: string): readonly Sample[] {
  const samples: Sample[] = [];
  for (let at = page.indexOf(name); at !== -1; at = page.indexOf(name, at + name.length)) {
    if (at > 0 && page[at - 1] !== '\n') continue;
    const sample = readSample(page, at + name.length);
    if (sample !== undefined) samples.push(sample);
  }
  return samples;
}

/** The samples of the first of these names that has any: engines rename their series. */
export function firstOf(page: string, ...names: readonly string[]): readonly Sample[] {
  for (const name of names) {
    const samples = readSamples(page, name);
    if (samples.length > 0) return samples;
  }
  return [];
}

export function sum(samples: readonly Sample[]): number | undefined {
  return samples.length === 0 ? undefined : samples.reduce((total, { value }) => total + value, 0);
}

export function mean(samples: readonly Sample[]): number | undefined {
  const total = sum(samples);
  return total === undefined ? undefined : total / samples.length;
}

function readSample(page: string, from: number): Sample | undefined {
  const labels = new Map<string, string>();
  let at = from;
  if (page[at] === '{') {
    at = readLabels(page, at + 1, labels);
    if (at === -1) return undefined;
  } else if (page[at] !== ' ' && page[at] !== '\t') {
    return undefined; // a longer name
  }
  const lineEnd = page.indexOf('\n', at);
  const [written] = page
    .slice(at, lineEnd === -1 ? undefined : lineEnd)
    .trim()
    .split(/\s/, 1);
  const value = written === undefined || written === '' ? Number.NaN : Number(written);
  return Number.isFinite(value) ? { labels, value } : undefined;
}

/** Offset behind the closing brace, or -1. */
function readLabels(page: string, from: number, labels: Map<string, string>): number {
  let at = from;
  for (;;) {
    while (page[at] === ',' || page[at] === ' ') at++;
    if (page[at] === '}') return at + 1;
    const name = /[a-z_]\w*="/iy;
    name.lastIndex = at;
    const opening = name.exec(page)?.[0];
    if (opening === undefined) return -1;
    const start = at + opening.length;
    const close = closingQuote(page, start);
    if (close === -1) return -1;
    labels.set(opening.slice(0, -2), page.slice(start, close).replaceAll(/\\(.)/g, unescape));
    at = close + 1;
  }
}

function closingQuote(page: string, from: number): number {
  for (let at = from; at < page.length; at++) {
    const char = page[at];
    if (char === '"') return at;
    if (char === '\n') return -1;
    if (char === '\\') at++;
  }
  return -1;
}

function unescape(_: string, char: string): string {
  return char === 'n' ? '\n' : char;
}
