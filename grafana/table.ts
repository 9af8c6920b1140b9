// Tables: several instant queries, joined by their labels, a column each.
import type { DynamicConfigValue } from '@grafana/grafana-foundation-sdk/dashboard';
import { PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder as TableBuilder } from '@grafana/grafana-foundation-sdk/table';
import { frame, type Look, refIdAt, target } from './panels.ts';

export interface Column {
  readonly title: string;
  readonly expr: string;
  /** Unit, words and colours of its cells. */
  readonly cells?: readonly DynamicConfigValue[];
  /** It brings labels, and its number says nothing. */
  readonly labelsOnly?: true;
}

const height = 8;

export function table(title: string, columns: readonly Column[], look: Look): TableBuilder {
  const panel = frame(new TableBuilder(), title, look).height(height);
  for (const [index, { expr }] of columns.entries())
    panel.withTarget(target(expr, '', refIdAt(index)).instant().format(PromQueryFormat.Table));
  // What a query alone calls `Value` is `Value #A`, `Value #B` … where there are several.
  const named = columns.map(
    (column, index) => [columns.length === 1 ? 'Value' : `Value #${refIdAt(index)}`, column] as const,
  );
  const hidden = named.flatMap(([name, { labelsOnly }]) => (labelsOnly === true ? [[name, true]] : []));
  const shown = named.map(([name, { title }]) => [name, title]);
  panel.withTransformation({ id: 'merge', options: {} }).withTransformation({
    id: 'organize',
    options: {
      excludeByName: { Time: true, ...Object.fromEntries(hidden) },
      indexByName: {},
      renameByName: Object.fromEntries(shown),
    },
  });
  for (const { title, cells } of columns) if (cells !== undefined) panel.overrideByName(title, [...cells]);
  return panel;
}

/** The whole cell in the colour of its value. */
export const coloured: DynamicConfigValue = {
  id: 'custom.cellOptions',
  value: { type: 'color-background', mode: 'basic' },
};
