// What a worker has counted, told to the main thread when it asks and every second in which something has happened; and the sum of
// all threads, which only the main thread can tell.
import type { Clock } from '../../clock.ts';
import type { FleetView } from '../../metrics/fleet-gauges.ts';
import type { Metrics, MetricsText } from '../../metrics/observe.ts';
import type { FromWorker } from './messages.ts';
import type { MirroredFleet } from './mirrored-fleet.ts';

export interface ReporterParts {
  readonly fleet: MirroredFleet;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly tell: (message: FromWorker) => void;
}

const everyMs = 1_000;

export function createReporter({ fleet, metrics, clock, tell }: ReporterParts) {
  const questions = new Map<number, (answer: MetricsText) => void>();
  let nextQuestion = 1;
  let isNews = true;
  let reportedMs = -Infinity;

  function view(): FleetView {
    const { roster, connections, snapshots } = fleet;
    return {
      backends: fleet.fleet.backends.map((backend) => ({
        backend,
        state: roster.of(backend),
        inFlight: 0,
        connections: connections.openTo(backend),
      })),
      models: snapshots.current().targets,
      tenants: [],
      queues: new Map(),
      prefixes: fleet.placement.index.entries,
      nowMs: clock.now(),
      wallMs: Date.now(),
    };
  }

  async function report(question: number | undefined): Promise<void> {
    reportedMs = clock.now();
    isNews = false;
    tell({ kind: 'report', question, metrics: await metrics.report(view()) });
  }

  return {
    report,
    somethingHappened(): void {
      isNews = true;
    },
    reportWhenDue(): void {
      if (isNews && clock.now() - reportedMs >= everyMs) void report(undefined);
    },
    /** Of all threads. */
    render(): Promise<MetricsText> {
      const question = nextQuestion++;
      const { promise, resolve } = Promise.withResolvers<MetricsText>();
      questions.set(question, resolve);
      tell({ kind: 'render', question });
      return promise;
    },
    rendered({ question, contentType, text }: MetricsText & { readonly question: number }): void {
      questions.get(question)?.({ contentType, text });
      questions.delete(question);
    },
  };
}
