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
    ['README.md', readme.replace(/(?<=<!-- alerts -->\n)[^]*(?=\n<!-- end of alerts -->)/, () => table)] as const,
  ]);
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
