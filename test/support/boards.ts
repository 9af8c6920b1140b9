// The boards as Grafana would read them.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './router-process.ts';

export interface BoardFile {
  readonly uid: string;
  readonly title: string;
  readonly tags: readonly string[];
  readonly links: readonly object[];
  readonly panels: readonly PanelFile[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly definition?: string }[] };
  readonly annotations: { readonly list: readonly { readonly expr: string }[] };
}

export interface PanelFile {
  readonly type: string;
  readonly title: string;
  readonly description: string;
  readonly datasource?: object;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly fieldConfig?: { readonly defaults: { readonly unit?: string } };
  readonly targets: readonly TargetFile[];
}

export interface TargetFile {
  readonly expr: string;
  readonly refId: string;
  readonly instant: boolean;
  readonly datasource: object;
}

export function readBoards(): readonly BoardFile[] {
  const folder = join(root, 'grafana/dashboards');
  return readdirSync(folder).map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as BoardFile);
}

export function panelsOf({ panels }: BoardFile): readonly PanelFile[] {
  return panels.map((panel) => ({ ...panel, targets: panel.targets ?? [] }));
}
