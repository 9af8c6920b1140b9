// The numbers of several threads as those of one router: each has a registry of its own, which the one that is asked adds up. What
// a thread has counted that has ended stays in the sum, so that no counter ever falls.
import { AggregatorRegistry, type MetricObjectWithValues, type MetricValue, type Registry } from 'prom-client';

/** What a registry holds, as it goes from thread to thread. */
export type ReportedMetrics = readonly MetricObjectWithValues<MetricValue<string>>[];

/** Gauges are added up too, unless they say otherwise of themselves. */
export async function renderMerged(own: Registry, others: readonly ReportedMetrics[]): Promise<string> {
  return AggregatorRegistry.aggregate([worstLag(await own.getMetricsAsJSON()), ...others]).metrics();
}

/** Of event loops that lag behind the worst counts; their average would tell of none. */
function worstLag(report: ReportedMetrics): ReportedMetrics {
  return report.map((metric) =>
    /^nodejs_eventloop_lag_(?!min)/.test(metric.name) ? { ...metric, aggregator: 'max' as const } : metric,
  );
}

/** What threads have counted that are no more. */
export class DepartedCounts {
  #reports: readonly ReportedMetrics[] = [];

  get reports(): readonly ReportedMetrics[] {
    return this.#reports;
  }

  /** Its last report. */
  add(report: ReportedMetrics): void {
    this.#reports = [...this.#reports, report.filter(({ type }) => countingTypes.has(String(type)))];
    if (this.#reports.length > mostApart) void this.#join(this.#reports);
  }

  /** A backend has left the fleet: its series go. */
  forgetBackend(backend: string): void {
    this.#reports = this.#reports.map((report) =>
      report.map((metric) => ({ ...metric, values: metric.values.filter(({ labels }) => labels.backend !== backend) })),
    );
  }

  async #join(reports: readonly ReportedMetrics[]): Promise<void> {
    const joined = await AggregatorRegistry.aggregate([...reports]).getMetricsAsJSON();
    // Something else has happened meanwhile: the next one that ends joins them.
    if (this.#reports === reports) this.#reports = [joined];
  }
}

const mostApart = 4;
const countingTypes: ReadonlySet<string> = new Set(['counter', 'histogram']);
