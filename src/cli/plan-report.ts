// How `plan` shows its findings: a few lists and a table, or JSON.
import type { Effects, Share } from '../fleet/effects.ts';
import { painter } from './colours.ts';
import { columns } from './columns.ts';

export interface Planned extends Effects {
  /** Undefined, as the next: the running router is of a version that does not tell them. */
  readonly limits: readonly string[] | undefined;
  /** Settings that are applied by a restart only. */
  readonly restart: readonly string[] | undefined;
  /** Backends that were not asked for their models, and nobody says them; and entries that have found no backend. */
  readonly unknown: readonly string[];
}

export function planText(planned: Planned): string {
  const paint = painter(process.stdout);
  const { added, removed, changed, models, losses, limits, restart, unknown } = planned;
  const backends = [
    ...added.map(({ name, url }) => `  ${paint('good', '+')} ${name}  ${url ?? 'simulated'}`),
    ...removed.map(({ name, url }) => `  ${paint('bad', '-')} ${name}  ${url ?? 'simulated'}`),
    ...changed.map(({ name, how }) => `  ${paint('doubtful', '~')} ${name}  ${how}`),
  ];
  const moved = models.filter(({ change }) => change !== 'same');
  const rows = moved.map(({ model, change, before, after }) => [model, change, sharesText(before), sharesText(after)]);
  const table = rows.length === 0 ? [] : columns([['MODEL', 'CHANGE', 'BEFORE', 'AFTER'], ...rows], '  ');
  const same = models.length - moved.length;
  return [
    ...section('Backends:', backends, 'the same'),
    ...section('Models:', table, 'the same'),
    ...(same > 0 && moved.length > 0 ? [`  ${same} more the same`] : []),
    ...(limits === undefined
      ? ['Limits and settings: the router does not tell its own; --against FILE compares them.']
      : section(
          'Limits:',
          limits.map((line) => `  ${line}`),
          'the same',
        )),
    ...restartLines(restart ?? []),
    ...(unknown.length === 0 ? [] : [`Not asked for their models: ${unknown.join(', ')}`]),
    ...(losses.length === 0 ? ['Nothing is lost.'] : ['Lost:', ...losses.map((line) => `  ${paint('bad', line)}`)]),
    '',
  ].join('\n');
}

export function planJson({ limits, restart, unknown, models, ...planned }: Planned): string {
  const told = {
    ok: planned.losses.length === 0,
    ...planned,
    models,
    limits: limits ?? null,
    needs_restart: restart ?? null,
    not_asked: unknown,
  };
  return `${JSON.stringify(told, undefined, 2)}\n`;
}

function section(title: string, lines: readonly string[], none: string): readonly string[] {
  return lines.length === 0 ? [`${title} ${none}`] : [title, ...lines];
}

function restartLines(settings: readonly string[]): readonly string[] {
  if (settings.length === 0) return [];
  const listens = settings.filter((name) => name.endsWith('.listen')).join(' and ');
  return [
    `Only a restart applies: ${settings.join(', ')}`,
    ...(listens === '' ? [] : [`  (${listens}: unless a flag or variable of the router says it)`]),
  ];
}

function sharesText(shares: readonly Share[]): string {
  return shares.map(({ backend, share }) => `${backend} ${Math.round(share * 100)}%`).join(', ') || '-';
}
