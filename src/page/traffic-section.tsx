// Requests and tokens per second, and what is in flight and waiting.
import { useMemo } from 'preact/hooks';
import type { FleetReport } from '../fleet/report.ts';
import { Chart } from './chart.tsx';
import { formatCount, formatMany, formatRate } from './format.ts';
import { type Sample, timelineOf } from './samples.ts';
import { Section } from './section.tsx';

export interface TrafficSectionProps {
  readonly report: FleetReport;
  readonly samples: readonly Sample[];
  readonly theme: string;
}

export function TrafficSection({ report, samples, theme }: TrafficSectionProps) {
  const { traffic } = report;
  const timeline = useMemo(() => timelineOf(report, samples), [report, samples]);
  const requests = useMemo(() => pair('requests', timeline.requests, 'failed', timeline.failed), [timeline]);
  const tokens = useMemo(() => pair('output', timeline.output_tokens, 'input', timeline.input_tokens), [timeline]);
  const load = useMemo(
    () =>
      pair(
        'in flight',
        samples.map((sample) => sample.traffic.in_flight),
        'waiting',
        samples.map((sample) => sample.traffic.waiting),
      ),
    [samples],
  );
  const loadAt = useMemo(() => samples.map(({ atMs }) => atMs / 1_000), [samples]);
  const note = `${formatMany(traffic.requests, 'request')} since the start, ${formatCount(traffic.failed)} failed`;
  return (
    <Section id="traffic" title="Traffic" note={note}>
      <div class="charts">
        <Chart
          title="Requests"
          unit="per second"
          atSeconds={timeline.atSeconds}
          series={requests}
          format={formatRate}
          theme={theme}
        />
        <Chart
          title="Tokens"
          unit="per second"
          atSeconds={timeline.atSeconds}
          series={tokens}
          format={formatRate}
          theme={theme}
        />
        <Chart
          title="In flight and waiting"
          unit="since this page was opened"
          atSeconds={loadAt}
          series={load}
          format={formatCount}
          theme={theme}
        />
      </div>
    </Section>
  );
}

function pair(name: string, values: readonly number[], other: string, others: readonly number[]) {
  return [
    { name, values },
    { name: other, values: others },
  ];
}
