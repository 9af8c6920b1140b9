// The alerts as they are shipped: each says what it means and what to do first, and has its tests.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { alertsOf, placeOfTable, rulesOf } from '../../../grafana/alerts.ts';
import { root, rulesFile } from '../../../grafana/documents.ts';
import { readBoards, panelsOf } from '../../support/boards.ts';

const text = readFileSync(join(root, rulesFile), 'utf8');
const alerts = alertsOf(text);

const places = readBoards().map((board) => ({
  board: board.title.replace('Switchyard · ', ''),
  titles: panelsOf(board).map(({ title }) => title),
}));

interface Case {
  readonly promql_expr_test: readonly { readonly expr: string; readonly exp_samples: readonly unknown[] }[];
}
const folder = join(root, 'deploy/prometheus/tests');
const cases = readdirSync(folder)
  .map((name) => parse(readFileSync(join(folder, name), 'utf8')) as { readonly tests: readonly Case[] })
  .flatMap(({ tests }) => tests)
  .flatMap((one) => one.promql_expr_test);

describe('the rules', () => {
  it('are three records and seventeen alerts', () => {
    expect(rulesOf(text).filter(({ record }) => record !== undefined)).toHaveLength(3);
    expect(new Set(alerts.map(({ alert }) => alert)).size).toBe(17);
    expect(rulesOf(text)).toHaveLength(20);
  });

  it.each(alerts)('say of $alert how bad it is, what it is, and what to do first', ({ labels, annotations }) => {
    expect(['critical', 'warning', 'info']).toContain(labels.severity);
    for (const line of Object.values(annotations)) expect(line).not.toMatch(/\n|^$/);
    expect(annotations.runbook.endsWith(placeOfTable)).toBe(true);
    // They stand in a table as they are.
    expect(annotations.description + annotations.runbook).not.toMatch(/\{\{|\|/);
  });

  it.each(alerts.filter(({ annotations }) => /\bboard\b/i.test(annotations.runbook)))(
    'send whoever gets $alert to a board and a panel that there are',
    ({ annotations: { runbook } }) => {
      const place = places.find(({ board }) => runbook.toLowerCase().includes(`board ${board.toLowerCase()}`));
      expect(place).toBeDefined();
      const panels = [...runbook.matchAll(/(?:panel|table) ([^:;,(]+)/g)].map(([, panel = '']) => panel.trim());
      expect(place?.titles).toEqual(expect.arrayContaining(panels));
    },
  );

  it.each(alerts.map(({ alert }) => alert))('have a case in which %s fires and one in which it does not', (alert) => {
    const own = cases.filter(({ expr }) => expr.startsWith(`ALERTS{alertname="${alert}"`));
    expect(own.some(({ exp_samples }) => exp_samples.length > 0)).toBe(true);
    expect(own.some(({ exp_samples }) => exp_samples.length === 0)).toBe(true);
  });
});
