// Which backends the table shows, and in which order.
import type { BackendReport } from '../fleet/report.ts';
import { isInTrouble, severityOf } from './tone.ts';

export const columns = [
  'name',
  'state',
  'circuit',
  'in flight',
  'waiting',
  'KV',
  'TTFT p95',
  'attempts',
  'failed',
  'last change',
] as const;
export type Column = (typeof columns)[number];

export interface Arrangement {
  /** Words that must all occur somewhere in a row. */
  readonly filter: string;
  readonly onlyTrouble: boolean;
  /** Undefined: the order of the fleet file. */
  readonly by: Column | undefined;
  readonly descending: boolean;
}

export const asInTheFile: Arrangement = { filter: '', onlyTrouble: false, by: undefined, descending: false };

export function arrange(backends: readonly BackendReport[], wanted: Arrangement): readonly BackendReport[] {
  const words = wanted.filter.toLowerCase().split(/\s+/).filter(Boolean);
  const shown = backends.filter(
    (backend) => (!wanted.onlyTrouble || isInTrouble(backend)) && words.every((word) => textOf(backend).includes(word)),
  );
  const { by } = wanted;
  if (by === undefined) return shown;
  const sign = wanted.descending ? -1 : 1;
  return shown.toSorted((a, b) => compare(valueOf(a, by), valueOf(b, by), sign));
}

/** The first click on a column shows what one looks for there: the largest, the worst, the newest; names from A. */
export function sortedBy(wanted: Arrangement, by: Column): Arrangement {
  const first = by !== 'name';
  if (wanted.by !== by) return { ...wanted, by, descending: first };
  if (wanted.descending === first) return { ...wanted, descending: !first };
  return { ...wanted, by: undefined, descending: false };
}

function textOf(backend: BackendReport): string {
  const { name, engine, url, state, circuit, problem, models } = backend;
  return [name, engine, url ?? '', state, circuit, problem ?? '', ...models].join('\n').toLowerCase();
}

type Value = number | string | null;

function valueOf(backend: BackendReport, by: Column): Value {
  switch (by) {
    case 'name':
      return backend.name;
    case 'state':
      return severityOf(backend.state);
    case 'circuit':
      return severityOf(backend.circuit);
    case 'in flight':
      return backend.in_flight;
    case 'waiting':
      return backend.waiting;
    case 'KV':
      return backend.kv_cache;
    case 'TTFT p95':
      return backend.ttft_p95_ms;
    case 'attempts':
      return backend.attempts;
    case 'failed':
      return backend.failed;
    case 'last change':
      return backend.last_change === null ? null : Date.parse(backend.last_change.at);
    default:
      return by satisfies never;
  }
}

/** What is not known comes last, either way round. */
function compare(a: Value, b: Value, sign: number): number {
  if (a === null || b === null) return (a === null ? 1 : 0) - (b === null ? 1 : 0);
  if (typeof a === 'number' && typeof b === 'number') return sign * (a - b);
  return sign * String(a).localeCompare(String(b), 'en', { numeric: true });
}
