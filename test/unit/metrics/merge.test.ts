import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { DepartedCounts, renderMerged } from '../../../src/metrics/merge.ts';

function thread(requests: number, open: number, durations: readonly number[] = []) {
  const registry = new Registry();
  const registers = [registry];
  const labelNames = ['backend'];
  new Counter({ name: 'requests_total', help: 'r', labelNames, registers }).inc({ backend: 'a' }, requests);
  new Gauge({ name: 'open', help: 'o', registers }).set(open);
  new Gauge({ name: 'worst', help: 'w', aggregator: 'max', registers }).set(open);
  const histogram = new Histogram({ name: 'seconds', help: 's', labelNames, buckets: [1, 2], registers });
  for (const seconds of durations) histogram.observe({ backend: 'a' }, seconds);
  return registry;
}

const linesOf = (text: string) => text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));

describe('the numbers of several threads', () => {
  it('are added up: counters, histograms and gauges, unless a gauge says otherwise', async () => {
    const others = [await thread(2, 4, [1.5]).getMetricsAsJSON(), await thread(3, 1, [0.5, 5]).getMetricsAsJSON()];
    expect(linesOf(await renderMerged(thread(1, 0), others))).toEqual([
      'requests_total{backend="a"} 6',
      'open 5',
      'worst 4',
      'seconds_bucket{le="1",backend="a"} 1',
      'seconds_bucket{le="2",backend="a"} 2',
      'seconds_bucket{le="+Inf",backend="a"} 3',
      'seconds_sum{backend="a"} 7',
      'seconds_count{backend="a"} 3',
    ]);
  });

  it('go as they came where one of them has none', async () => {
    expect(linesOf(await renderMerged(thread(1, 2), []))).toEqual([
      'requests_total{backend="a"} 1',
      'open 2',
      'worst 2',
    ]);
  });
});

describe('the lag of event loops', () => {
  it('is that of the worst of them', async () => {
    const lagging = (seconds: number) => {
      const registry = new Registry();
      const aggregator = 'average';
      new Gauge({ name: 'nodejs_eventloop_lag_p99_seconds', help: 'l', aggregator, registers: [registry] }).set(
        seconds,
      );
      return registry;
    };
    expect(linesOf(await renderMerged(lagging(0.01), [await lagging(0.5).getMetricsAsJSON()]))).toEqual([
      'nodejs_eventloop_lag_p99_seconds 0.5',
    ]);
  });
});

describe('what a thread has counted that is no more', () => {
  it('stays in the sum, and what it only was does not', async () => {
    const departed = new DepartedCounts();
    for (let n = 0; n < 20; n++) departed.add(await thread(1, 7, [1]).getMetricsAsJSON());
    const text = await renderMerged(thread(0, 0), departed.reports);
    expect(linesOf(text)).toContain('requests_total{backend="a"} 20');
    expect(linesOf(text)).toContain('open 0');
    expect(linesOf(text)).toContain('seconds_count{backend="a"} 20');
    expect(departed.reports.length).toBeLessThan(10);
  });

  it('goes with its backend', async () => {
    const departed = new DepartedCounts();
    departed.add(await thread(5, 0).getMetricsAsJSON());
    departed.forgetBackend('a');
    expect(await renderMerged(new Registry(), departed.reports)).not.toContain('backend="a"');
  });
});
