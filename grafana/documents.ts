// What is generated from the boards and the alerts, by path from the root of the repository.
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { alertsTable } from './alerts.ts';
import { build } from './board.ts';
import { boards } from './boards/index.ts';

export const root = resolve(import.meta.dirname, '..');
export const rulesFile = 'deploy/prometheus/rules.yaml';

export function documents(): ReadonlyMap<string, string> {
  const readme = readFileSync(join(root, 'README.md'), 'utf8');
  const table = alertsTable(readFileSync(join(root, rulesFile), 'utf8'));
  return new Map([
    ...Object.entries(boards).map(([name, board]) => [`grafana/dashboards/${name}.json`, json(build(board))] as const),
    ['README.md', withTable(readme, table)] as const,
  ]);
}

const begin = '<!-- alerts: made by npm run docs:boards -->';
const end = '<!-- /alerts -->';

function withTable(readme: string, table: string): string {
  const from = readme.indexOf(begin);
  const to = readme.indexOf(end);
  if (from === -1 || to < from) throw new Error(`README.md has lost its markers ${begin} and ${end}`);
  return `${readme.slice(0, from + begin.length)}\n\n${table}\n\n${readme.slice(to)}`;
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
