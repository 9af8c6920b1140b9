import { describe, expect, it } from 'vitest';
import type { TrafficReport } from '../../../src/fleet/report.ts';
import { keepReport, keepRows } from '../../../src/page/keep.ts';
import { addSample, liveRates, type Sample, timelineOf } from '../../../src/page/samples.ts';
import { aBackend, aReport } from '../../support/a-report.ts';

const quiet = aReport().traffic;
const sample = (seconds: number, traffic: Partial<TrafficReport> = {}): Sample => ({
  atMs: Date.parse(aReport().now) + seconds * 1_000,
  traffic: { ...quiet, ...traffic },
});
const all = (samples: readonly Sample[]) => samples.reduce(addSample, [] as readonly Sample[]);

describe('rates', () => {
  it('are differences over the last ten seconds', () => {
    const samples = all([
      sample(0, { requests: 0 }),
      sample(8, { requests: 100, output_tokens: 0 }),
      sample(18, { requests: 150, failed: 5, output_tokens: 2_000 }),
    ]);
    expect(liveRates(samples)).toEqual({ requests: 5, failed: 0.5, input_tokens: 0, output_tokens: 200 });
  });

  it('need two polls', () => {
    expect([liveRates([]), liveRates([sample(0)])]).toEqual([undefined, undefined]);
  });

  it('begin anew with a router that was started anew, instead of going below nothing', () => {
    const samples = all([sample(0, { requests: 500 }), sample(2, { requests: 510 }), sample(4, { requests: 1 })]);
    expect(samples).toHaveLength(1);
    expect(liveRates(samples)).toBeUndefined();
  });

  it('of what is older than the charts show are forgotten', () => {
    expect(all([sample(0), sample(500), sample(700)])).toHaveLength(2);
  });
});

describe('the timeline', () => {
  const history = {
    every_seconds: 10,
    requests: [10, 20, 30],
    failed: [0, 0, 5],
    input_tokens: [0, 0, 0],
    output_tokens: [0, 0, 0],
  };
  const report = aReport({ traffic: { ...quiet, requests: 60, history } });
  const endSeconds = Date.parse(report.now) / 1_000;

  it('turns counts into rates, each in the middle of its time', () => {
    const timeline = timelineOf(report, []);
    expect([timeline.requests, timeline.failed]).toEqual([
      [1, 2, 3],
      [0, 0, 0.5],
    ]);
    expect(timeline.atSeconds.map((at) => at - endSeconds)).toEqual([-25, -15, -5]);
  });

  it('goes on with nothing while the router says that nothing has changed', () => {
    const samples = all([sample(0, { requests: 60 }), sample(20, { requests: 60 })]);
    expect(timelineOf(report, samples).requests).toEqual([1, 2, 3, 0, 0]);
  });

  it('ends with what is live', () => {
    const samples = all([sample(-4, { requests: 40 }), sample(0, { requests: 60 })]);
    const timeline = timelineOf(report, samples);
    expect([timeline.requests.at(-1), timeline.atSeconds.at(-1)]).toEqual([5, endSeconds]);
  });

  it('of a router without a record is empty', () => {
    expect(timelineOf(aReport(), []).atSeconds).toEqual([]);
  });
});

describe('rows', () => {
  it('stay the same objects while nothing of them changes', () => {
    const before = aReport({ backends: [aBackend({ name: 'a' }), aBackend({ name: 'b' })] });
    const now = aReport({ backends: [aBackend({ name: 'a' }), aBackend({ name: 'b', in_flight: 1 })] });
    const kept = keepReport(before, now);
    expect(kept.backends[0]).toBe(before.backends[0]);
    expect(kept.backends[1]).toBe(now.backends[1]);
    expect(kept.models).toBe(before.models);
  });

  it('are found again where they have moved', () => {
    const [a, b] = [aBackend({ name: 'a' }), aBackend({ name: 'b' })];
    const kept = keepRows([a, b], [aBackend({ name: 'b' })]);
    expect(kept[0]).toBe(b);
    expect(kept).toHaveLength(1);
  });
});
