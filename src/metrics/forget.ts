// Takes away the series of backends, or of models, that have left the fleet for good.

/** Labels that name one or the other, where a metric has the first of them. */
const labelsOf = {
  backend: [['backend']],
  model: [
    ['model', 'to'],
    ['gen_ai_request_model', 'gen_ai_response_model'],
  ],
} as const;

/** What prom-client's metrics have in common; its types leave `labelNames` out. */
interface Metric {
  get(): Promise<{ readonly values: readonly { readonly labels: object }[] }>;
  remove(...values: string[]): void;
}

export async function forgetSeries(
  metrics: Iterable<Metric>,
  kind: keyof typeof labelsOf,
  gone: ReadonlySet<string>,
): Promise<void> {
  for (const metric of metrics) {
    const names = labelNamesOf(metric);
    const naming = labelsOf[kind].find(([first]) => names.includes(first));
    if (naming === undefined) continue;
    const series = new Map<string, readonly string[]>();
    for (const { labels } of (await metric.get()).values) {
      const byName = new Map(Object.entries(labels));
      if (![...naming].some((label) => gone.has(byName.get(label)))) continue;
      // A histogram has many lines for each of its series.
      const own = names.map((label) => String(byName.get(String(label))));
      series.set(JSON.stringify(own), own);
    }
    for (const values of series.values()) metric.remove(...values);
  }
}

/** In the order in which `remove` takes their values. */
function labelNamesOf(metric: object): readonly unknown[] {
  return 'labelNames' in metric && Array.isArray(metric.labelNames) ? metric.labelNames : [];
}
