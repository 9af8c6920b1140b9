// Keeps the object of a row while its content stays, so that a poll draws only the rows that have changed.
import type { FleetReport } from '../fleet/report.ts';

export function keepRows<Row>(before: readonly Row[], now: readonly Row[]): readonly Row[] {
  const known = new Map(before.map((row) => [JSON.stringify(row), row]));
  const kept = now.map((row) => known.get(JSON.stringify(row)) ?? row);
  return kept.length === before.length && kept.every((row, at) => row === before[at]) ? before : kept;
}

export function keepReport(before: FleetReport | undefined, now: FleetReport): FleetReport {
  if (before === undefined) return now;
  return {
    ...now,
    attention: keepRows(before.attention, now.attention),
    backends: keepRows(before.backends, now.backends),
    models: keepRows(before.models, now.models),
    tenants: keepRows(before.tenants, now.tenants),
    failures: keepRows(before.failures, now.failures),
    decisions: keepRows(before.decisions, now.decisions),
  };
}
