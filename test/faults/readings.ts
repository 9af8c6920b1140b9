// What a router tells about itself: its metrics as samples, and its log as request lines and circuit lines.
import type { RouterProcess } from '../support/router-process.ts';

export type Labels = Readonly<Record<string, string>>;

export interface Sample {
  readonly name: string;
  readonly labels: Labels;
  readonly value: number;
}

export class Metrics {
  readonly samples: readonly Sample[];

  static async of(url: string): Promise<Metrics> {
    const response = await fetch(`${url}/metrics`, { signal: AbortSignal.timeout(10_000) });
    return new Metrics(await response.text());
  }

  constructor(text: string) {
    this.samples = text.split('\n').flatMap((line) => {
      const [, name, labels = '', value] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
      if (name === undefined || value === undefined) return [];
      const pairs = [...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)];
      const read: Labels = Object.fromEntries(pairs.map(([, key = '', text = '']) => [key, text]));
      return [{ name, labels: read, value: Number(value) }];
    });
  }

  /** Over all series with these labels; 0 where there is none. */
  total(name: string, labels: Labels = {}): number {
    return this.series(name, labels).reduce((sum, { value }) => sum + value, 0);
  }

  series(name: string, labels: Labels = {}): readonly Sample[] {
    const wanted = Object.entries(labels);
    return this.samples.filter(
      (sample) => sample.name === name && wanted.every(([label, value]) => sample.labels[label] === value),
    );
  }

  /** Totals by the values of one label, largest name last. */
  by(name: string, label: string, labels: Labels = {}): Readonly<Record<string, number>> {
    const totals = new Map<string, number>();
    for (const sample of this.series(name, labels)) {
      const key = sample.labels[label] ?? '';
      totals.set(key, (totals.get(key) ?? 0) + sample.value);
    }
    const sorted = [...totals].filter(([, value]) => value !== 0).toSorted(([a], [b]) => a.localeCompare(b));
    return Object.fromEntries(sorted);
  }
}

export type Line = Readonly<Record<string, unknown>>;

/** Whole lines; what it says about its fleet file before it starts is no log. */
export function linesOf({ stderr }: RouterProcess): readonly Line[] {
  return [...stderr.matchAll(/^(\{.*\})\n/gm)].map(([, text = '']): Line => JSON.parse(text));
}

/** One for each request that has ended. */
export function requestLines(router: RouterProcess): readonly Line[] {
  return linesOf(router).filter((line) => 'request_id' in line);
}

export function numberIn(line: Line, name: string): number {
  const value = line[name];
  return typeof value === 'number' ? value : 0;
}

/** How often each circuit has changed, as `backend/state`. */
export function circuitLines(router: RouterProcess): Readonly<Record<string, number>> {
  const counts = new Map<string, number>();
  for (const line of linesOf(router)) {
    if (line['msg'] !== 'circuit changed') continue;
    const key = `${String(line['backend'])}/${String(line['circuit'])}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return Object.fromEntries([...counts].toSorted(([a], [b]) => a.localeCompare(b)));
}
