// Takes away the series of a backend that has left the fleet for good.
import type { Instruments } from './instruments.ts';

export async function forgetBackend(instruments: Instruments, backend: string): Promise<void> {
  for (const metric of Object.values(instruments)) {
    const names = labelNamesOf(metric);
    if (!names.includes('backend')) continue;
    const series = new Map<string, readonly string[]>();
    for (const { labels } of (await metric.get()).values) {
      const byName = new Map(Object.entries(labels));
      if (byName.get('backend') !== backend) continue;
      // A histogram has many lines for each of its series.
      const own = names.map((name) => String(byName.get(String(name))));
      series.set(JSON.stringify(own), own);
    }
    for (const values of series.values()) metric.remove(...values);
  }
}

/** In the order in which `remove` takes their values; prom-client's types leave them out. */
function labelNamesOf(metric: object): readonly unknown[] {
  return 'labelNames' in metric && Array.isArray(metric.labelNames) ? metric.labelNames : [];
}
