// Rates: differences of counters between polls, and the router's own record of the last ten minutes before the page was
// opened. All per second; times in milliseconds of the router's clock.
import type { FleetReport, TrafficReport } from '../fleet/report.ts';

export interface Sample {
  readonly atMs: number;
  readonly traffic: TrafficReport;
}

export interface Rates {
  readonly requests: number;
  readonly failed: number;
  readonly input_tokens: number;
  readonly output_tokens: number;
}

export interface Timeline extends Readonly<Record<keyof Rates, readonly number[]>> {
  readonly atSeconds: readonly number[];
}

export const shownMs = 600_000;
/** Long enough to be calm, short enough to show what just began. */
const liveMs = 10_000;
export const counters = ['requests', 'failed', 'input_tokens', 'output_tokens'] as const;

/** Adds a poll, drops what is too old. Counters that went down belong to a router that was started anew. */
export function addSample(samples: readonly Sample[], sample: Sample): readonly Sample[] {
  const last = samples.at(-1);
  const restarted = last !== undefined && counters.some((name) => sample.traffic[name] < last.traffic[name]);
  const kept = restarted ? [] : samples.filter(({ atMs }) => atMs >= sample.atMs - shownMs && atMs < sample.atMs);
  return [...kept, sample];
}

/** Undefined until two polls can be compared. */
export function liveRates(samples: readonly Sample[]): Rates | undefined {
  const last = samples.at(-1);
  const first = samples.find(({ atMs }) => last !== undefined && atMs >= last.atMs - liveMs);
  if (last === undefined || first === undefined || first.atMs === last.atMs) return undefined;
  const seconds = (last.atMs - first.atMs) / 1_000;
  const rateOf = (name: keyof Rates) => (last.traffic[name] - first.traffic[name]) / seconds;
  return {
    requests: rateOf('requests'),
    failed: rateOf('failed'),
    input_tokens: rateOf('input_tokens'),
    output_tokens: rateOf('output_tokens'),
  };
}

/** The record up to the report, nothing since then if nothing was told since then, and at the right edge what is live. */
export function timelineOf(report: FleetReport, samples: readonly Sample[]): Timeline {
  const { history } = report.traffic;
  const everyMs = history.every_seconds * 1_000;
  const endMs = Date.parse(report.now);
  const nowMs = samples.at(-1)?.atMs ?? endMs;
  const quiet = everyMs > 0 ? Math.max(0, Math.floor((nowMs - endMs) / everyMs)) : 0;
  const told = history.requests.length;
  const atMs = Array.from({ length: told + quiet }, (_, n) => endMs + (n - told + 0.5) * everyMs);
  const live = liveRates(samples);
  const keep = atMs.map((at) => at >= nowMs - shownMs && (live === undefined || at < nowMs));
  const pick = (values: readonly number[]) => values.filter((_, n) => keep[n]);
  const valuesOf = (name: keyof Rates) => [
    ...pick(atMs.map((_, n) => (history[name][n] ?? 0) / history.every_seconds)),
    ...(live === undefined ? [] : [live[name]]),
  ];
  return {
    atSeconds: [...pick(atMs), ...(live === undefined ? [] : [nowMs])].map((ms) => ms / 1_000),
    requests: valuesOf('requests'),
    failed: valuesOf('failed'),
    input_tokens: valuesOf('input_tokens'),
    output_tokens: valuesOf('output_tokens'),
  };
}
