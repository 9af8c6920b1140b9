// What Node tells of itself.
import { collectDefaultMetrics, type Registry } from 'prom-client';

/** Gauges that call themselves totals, which promtool rejects; the same numbers stand by type in `nodejs_active_*`. */
const misnamed = ['nodejs_active_handles_total', 'nodejs_active_requests_total', 'nodejs_active_resources_total'];

/** `isPart`: of one thread of several, only what each has for itself. */
export function collectNodeMetrics(registry: Registry, { isPart }: { readonly isPart: boolean }): void {
  collectDefaultMetrics({ register: registry });
  for (const name of misnamed) registry.removeSingleMetric(name);
  if (!isPart) return;
  for (const { name } of registry.getMetricsAsArray()) {
    if (/^(?:process|nodejs)_/.test(name) && !/^nodejs_(?:eventloop_lag|heap_|gc_)/.test(name))
      registry.removeSingleMetric(name);
  }
}
