// Numbers of several rounds → medians with their spread, and as ratios to nginx.
import type { Subject } from './subject.ts';

export interface Row {
  readonly plainMicros: number | undefined;
  readonly plainPerSecond: number;
  readonly firstByteP50: number;
  readonly firstByteP99: number;
  readonly eventMicros: number | undefined;
  readonly eventsPerSecond: number;
  /** Answers and events that were not as they should be. */
  readonly wrong: number;
}

export class Rows {
  readonly bySubject = new Map<string, { readonly subject: Subject; readonly rows: Row[] }>();

  add(subject: Subject, row: Row): void {
    const known = this.bySubject.get(subject.name);
    if (known === undefined) this.bySubject.set(subject.name, { subject, rows: [row] });
    else known.rows.push(row);
  }
}

export interface Spread {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

const columns = [
  'plainMicros',
  'plainPerSecond',
  'firstByteP50',
  'firstByteP99',
  'eventMicros',
  'eventsPerSecond',
  'wrong',
] as const;
type Column = (typeof columns)[number];

export interface SubjectSummary {
  readonly name: string;
  readonly about: string;
  readonly values: Readonly<Record<Column, Spread | undefined>>;
  /** Of CPU, to nginx. */
  readonly ratios: { readonly plain: number | undefined; readonly event: number | undefined };
}

export function summary({ bySubject }: Rows): readonly SubjectSummary[] {
  const spreads = new Map([...bySubject].map(([name, { rows }]) => [name, spreadsOf(rows)]));
  const nginx = spreads.get('nginx');
  return [...bySubject.values()].map(({ subject: { name, about } }) => {
    const values = spreads.get(name) ?? spreadsOf([]);
    const ratio = (column: Column) => divided(values[column]?.median, nginx?.[column]?.median);
    return { name, about, values, ratios: { plain: ratio('plainMicros'), event: ratio('eventMicros') } };
  });
}

function spreadsOf(rows: readonly Row[]): Record<Column, Spread | undefined> {
  const of = (column: Column) => spread(rows.flatMap((row) => row[column] ?? []));
  return {
    plainMicros: of('plainMicros'),
    plainPerSecond: of('plainPerSecond'),
    firstByteP50: of('firstByteP50'),
    firstByteP99: of('firstByteP99'),
    eventMicros: of('eventMicros'),
    eventsPerSecond: of('eventsPerSecond'),
    wrong: of('wrong'),
  };
}

export function spread(numbers: readonly number[]): Spread | undefined {
  const sorted = numbers.toSorted((a, b) => a - b);
  const [least, most] = [sorted[0], sorted.at(-1)];
  if (least === undefined || most === undefined) return undefined;
  const middle = sorted.length / 2;
  const median = ((sorted[Math.ceil(middle) - 1] ?? 0) + (sorted[Math.floor(middle)] ?? 0)) / 2;
  return { median, least, most };
}

function divided(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined || b === 0 ? undefined : a / b;
}

export function table(rows: Rows): string {
  const direct = spreadsOf(rows.bySubject.get('direct')?.rows ?? []);
  const lines = summary(rows).map(({ name, values, ratios }) => [
    name,
    shown(values.plainMicros),
    times(ratios.plain),
    values.plainPerSecond?.median.toFixed(0) ?? '–',
    added(values.firstByteP50, direct.firstByteP50),
    added(values.firstByteP99, direct.firstByteP99),
    shown(values.eventMicros),
    times(ratios.event),
    String(values.wrong?.most ?? '–'),
  ]);
  const heads = [
    '',
    'µs CPU per request',
    '÷ nginx',
    'requests/s',
    'first byte +p50 ms',
    '+p99 ms',
    'µs CPU per event',
    '÷ nginx',
    'wrong',
  ];
  return [heads, ['---', ...heads.slice(1).map(() => '---:')], ...lines]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n');
}

function shown(value: Spread | undefined): string {
  return value === undefined ? '–' : `${value.median.toFixed(1)} (${value.least.toFixed(1)}–${value.most.toFixed(1)})`;
}

function times(ratio: number | undefined): string {
  return ratio === undefined ? '–' : `${ratio.toFixed(2)} ×`;
}

/** What it adds to the time without anything in between. */
function added(value: Spread | undefined, direct: Spread | undefined): string {
  return value === undefined || direct === undefined ? '–' : (value.median - direct.median).toFixed(2);
}
