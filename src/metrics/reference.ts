// The table of all metrics, made of the instruments themselves: name, type, labels, meaning.
import { Registry } from 'prom-client';
import { watchCertificates } from './certificates.ts';
import { watchConfig } from './config.ts';
import { watchDiscovery } from './discovery.ts';
import { createGenaiMetrics } from './genai.ts';
import { createInstruments } from './instruments.ts';
import { showPressure } from './pressure.ts';
import { watchRouters } from './placement.ts';
import { watchSharedState } from './shared-state.ts';
import { watchWorkers } from './workers.ts';

/** Markdown. Whatever exists only under some settings is in it too; what Node tells of itself is not. */
export function metricsTable(): string {
  const registry = new Registry();
  createInstruments(registry);
  watchSharedState(registry);
  watchConfig(registry, () => 0);
  watchCertificates(registry);
  watchDiscovery(registry);
  watchWorkers(registry);
  watchRouters(registry);
  showPressure(registry, { loads: {}, bufferedBytes: 0, isOver: () => false });
  createGenaiMetrics(registry);
  const rows = registry.getMetricsAsArray().map(rowOf);
  return ['| Name | Type | Labels | Meaning |', '|---|---|---|---|', ...rows].join('\n');
}

/** As prom-client keeps them; its types leave out all but the reading. */
function rowOf(metric: object): string {
  const { name, type, help, labelNames } = {
    name: '',
    type: '',
    help: '',
    labelNames: [],
    ...metric,
  };
  const labels = labelNames.map((label) => `\`${String(label)}\``).join(' ');
  return `| \`${name}\` | ${type} | ${labels} | ${help} |`;
}
