// A run in Markdown: the goals, a table for each measurement, and what could not be measured.
import type { Bench, Column } from './bench.ts';
import type { Goal } from './goals.ts';
import { divided, type Results } from './results.ts';

export interface Run {
  readonly machine: string;
  readonly rounds: number;
  readonly seconds: number;
  readonly benches: readonly Bench[];
  readonly results: Results;
  readonly goals: readonly Goal[];
  readonly unavailable: readonly Unavailable[];
}

export interface Unavailable {
  readonly name: string;
  readonly why: string;
}

export function reportOf(run: Run): string {
  const { machine, rounds, seconds, benches, results, goals, unavailable } = run;
  const measured = benches.filter(({ name }) => results.benches().includes(name));
  return [
    machine,
    `Medians of ${rounds} rounds of ${seconds} s, with the least and the most.`,
    '## Goals',
    goalsTable(goals),
    ...measured.flatMap((bench) => [`## ${bench.name}`, `${bench.about}.`, benchTable(bench, results)]),
    ...(unavailable.length === 0 ? [] : ['## Not measured', missing(unavailable)]),
  ].join('\n\n');
}

export function goalsTable(goals: readonly Goal[]): string {
  const words = (isMet: boolean | undefined) => (isMet === undefined ? '–' : isMet ? 'met' : '**missed**');
  const rows = goals.map(({ what, target, measured, isMet }) => [
    what,
    target,
    measured ?? 'not measured',
    words(isMet),
  ]);
  return tableOf(['', 'goal', 'measured', ''], rows, 'left');
}

export function benchTable({ name, columns }: Bench, results: Results): string {
  const heads = columns.flatMap(({ title, toNginx }) => (toNginx ? [title, '÷ nginx'] : [title]));
  const rows = results.subjects(name).map((subject) => [
    subject,
    ...columns.flatMap((column) => {
      const value = shown(results, name, { subject, column });
      if (!column.toNginx) return [value];
      const nginx = results.median(name, 'nginx', column.key);
      const ratio = divided(results.median(name, subject, column.key), nginx);
      return [value, ratio === undefined ? '–' : `${ratio.toFixed(2)} ×`];
    }),
  ]);
  return tableOf(['', ...heads], rows, 'right');
}

function shown(
  results: Results,
  bench: string,
  { subject, column: { key, digits = 1 } }: { readonly subject: string; readonly column: Column },
): string {
  const spread = results.spread(bench, subject, key);
  if (spread === undefined) return '–';
  const [median, least, most] = [spread.median, spread.least, spread.most].map((value) => value.toFixed(digits));
  return least === most ? `${median}` : `${median} (${least}–${most})`;
}

function missing(unavailable: readonly Unavailable[]): string {
  return unavailable.map(({ name, why }) => `- ${name}: ${why}`).join('\n');
}

function tableOf(heads: readonly string[], rows: readonly (readonly string[])[], aligned: 'left' | 'right'): string {
  const rule = heads.map((_, n) => (n === 0 || aligned === 'left' ? '---' : '---:'));
  return [heads, rule, ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
