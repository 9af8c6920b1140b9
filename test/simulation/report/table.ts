// Results as Markdown, one row per policy.
import type { Measured } from '../matrix.ts';
import type { Scenario } from '../scenarios.ts';

export interface Row {
  readonly scenario: Scenario;
  readonly policy: string;
  readonly routers: number;
  readonly measured: Measured;
  /** Requests a second, where that was asked for. */
  readonly capacity?: number;
}

type Column = readonly [head: string, cell: (row: Row) => string];

const columns: readonly Column[] = [
  ['policy', ({ policy }) => policy],
  ['TTFT mean s', ({ measured }) => measured.mean.ttftMean.toFixed(2)],
  ['p50', ({ measured }) => measured.mean.ttftP50.toFixed(2)],
  ['p90', ({ measured }) => measured.mean.ttftP90.toFixed(1)],
  ['p99', ({ measured }) => measured.mean.ttftP99.toFixed(1)],
  ['TPOT mean ms', ({ measured }) => (measured.mean.tpotMean * 1000).toFixed(0)],
  ['p99', ({ measured }) => (measured.mean.tpotP99 * 1000).toFixed(0)],
  ['E2E s', ({ measured }) => measured.mean.e2eMean.toFixed(1)],
  ['hit %', ({ measured }) => percent(measured.mean.hit)],
  ['goodput %', ({ measured }) => percent(measured.mean.goodput)],
  ['tok/s', ({ measured }) => measured.mean.outputPerS.toFixed(0)],
  ['imbalance', ({ measured }) => measured.mean.imbalance.toFixed(2)],
];
const fairnessColumns: readonly Column[] = [
  ['Jain', ({ measured }) => measured.fairness?.jain.toFixed(3) ?? '–'],
  ['victims p99 s', ({ measured }) => measured.fairness?.victimsP99.toFixed(1) ?? '–'],
  ['victims goodput %', ({ measured }) => percent(measured.fairness?.victimsGoodput)],
];
const capacityColumn: Column = ['capacity /s', ({ capacity }) => capacity?.toFixed(2) ?? '–'];

/** All rows are of one scenario and of as many routers; in the order given. */
export function table(rows: readonly Row[]): string {
  const shown = [
    ...columns,
    ...(rows.some(({ measured }) => measured.fairness !== undefined) ? fairnessColumns : []),
    ...(rows.some(({ capacity }) => capacity !== undefined) ? [capacityColumn] : []),
  ];
  const heads = shown.map(([head]) => head);
  const rules = shown.map((_, index) => (index === 0 ? '---' : '---:'));
  const lines = rows.map((row) => shown.map(([, cell]) => cell(row)));
  return [heads, rules, ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** Goodput with several routers as a share of that with one, by policy. */
export function retention(rows: readonly Row[]): ReadonlyMap<string, number> {
  const one = new Map(
    rows.filter(({ routers }) => routers === 1).map((row) => [row.policy, row.measured.mean.goodput]),
  );
  const several = rows.filter(({ routers }) => routers > 1);
  return new Map(
    several.flatMap(({ policy, measured }) => {
      const alone = one.get(policy);
      return alone === undefined || alone === 0 ? [] : [[policy, measured.mean.goodput / alone] as const];
    }),
  );
}

function percent(share: number | undefined): string {
  return share === undefined ? '–' : (share * 100).toFixed(1);
}
