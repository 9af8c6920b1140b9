// The alerts of deploy/prometheus/rules.yaml as the table in the README.
import { parse } from 'yaml';

export interface Rule {
  readonly alert?: string;
  readonly record?: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels?: { readonly severity: string };
  readonly annotations?: { readonly summary: string; readonly description: string; readonly runbook: string };
}

export type Alert = Required<Omit<Rule, 'record' | 'for'>> & Pick<Rule, 'for'>;

export function rulesOf(text: string): readonly Rule[] {
  const { groups } = parse(text) as { readonly groups: readonly { readonly rules: readonly Rule[] }[] };
  return groups.flatMap(({ rules }) => rules);
}

export function alertsOf(text: string): readonly Alert[] {
  return rulesOf(text).flatMap((rule) => (isAlert(rule) ? [rule] : []));
}

function isAlert(rule: Rule): rule is Alert {
  return rule.alert !== undefined && rule.labels !== undefined && rule.annotations !== undefined;
}

/** Where the runbook line of every alert says that this table is. */
export const placeOfTable = ' (README.md#alerts)';

export function alertsTable(text: string): string {
  const rows = alertsOf(text).map(({ alert, labels, annotations: { description, runbook } }) => {
    const firstStep = runbook.replace(placeOfTable, '');
    return `| \`${alert}\` | ${labels.severity} | ${description} | ${firstStep} |`;
  });
  return ['| Alert | Severity | What it means | What to do first |', '|---|---|---|---|', ...rows].join('\n');
}
