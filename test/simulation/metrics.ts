// What a run comes to. The first requests are left out: they met empty caches and idle replicas.
import type { Profile } from './replica/profiles.ts';
import type { Outcome, Served } from './simulation.ts';

/** What counts as good: TTFT ≤ base + factor x the time its prompt takes alone, and TPOT at most so much. Seconds. */
export interface Objective {
  readonly ttftS: number;
  readonly prefillFactor: number;
  readonly tpotS: number;
}

export const metricNames = [
  'ttftMean',
  'ttftP50',
  'ttftP90',
  'ttftP99',
  'tpotMean',
  'tpotP99',
  'e2eMean',
  'goodput',
  'outputPerS',
  'hit',
  'imbalance',
] as const;
/** Seconds; `goodput` and `hit` are shares, `imbalance` is max/mean of busy seconds, `outputPerS` tokens. */
export type Metrics = Readonly<Record<(typeof metricNames)[number], number>>;

const warmingShare = 0.08;

export function measure({ served, busyS }: Outcome, profile: Profile, objective: Objective): Metrics {
  const counted = countedOf(served);
  const ttft = counted.map(ttftOf).toSorted((a, b) => a - b);
  const tpot = counted.filter(({ request }) => request.output > 1).map(tpotOf);
  const sortedTpot = tpot.toSorted((a, b) => a - b);
  const good = counted.filter((one) => isGood(one, profile, objective)).length;
  const firstS = Math.min(...counted.map(({ arrivedS }) => arrivedS));
  const lastS = counted.reduce((latest, { endedS }) => Math.max(latest, endedS), 0);
  return {
    ttftMean: mean(ttft),
    ttftP50: quantile(ttft, 0.5),
    ttftP90: quantile(ttft, 0.9),
    ttftP99: quantile(ttft, 0.99),
    tpotMean: mean(tpot),
    tpotP99: quantile(sortedTpot, 0.99),
    e2eMean: mean(counted.map(({ arrivedS, endedS }) => endedS - arrivedS)),
    goodput: good / counted.length,
    outputPerS: sum(counted.map(({ request }) => request.output)) / (lastS - firstS),
    hit: sum(counted.map(({ cachedTokens }) => cachedTokens)) / sum(counted.map(({ request }) => request.input)),
    imbalance: Math.max(...busyS) / mean(busyS),
  };
}

/** Without those that arrived first. */
export function countedOf(served: readonly Served[]): readonly Served[] {
  return served.toSorted((a, b) => a.arrivedS - b.arrivedS).slice(Math.floor(served.length * warmingShare));
}

export function isGood(served: Served, { cp }: Profile, { ttftS, prefillFactor, tpotS }: Objective): boolean {
  const bound = ttftS + prefillFactor * served.request.input * cp;
  return served.ok && ttftOf(served) <= bound && tpotOf(served) <= tpotS;
}

export function ttftOf({ arrivedS, firstTokenS }: Served): number {
  return firstTokenS - arrivedS;
}

/** Between two tokens, on average; 0 when there was only one. */
export function tpotOf({ firstTokenS, endedS, request }: Served): number {
  return request.output > 1 ? (endedS - firstTokenS) / (request.output - 1) : 0;
}

/** Of numbers in ascending order; the nearest rank. */
export function quantile(ascending: readonly number[], share: number): number {
  return ascending[Math.min(ascending.length - 1, Math.max(0, Math.ceil(share * ascending.length) - 1))] ?? 0;
}

export function mean(numbers: readonly number[]): number {
  return numbers.length === 0 ? 0 : sum(numbers) / numbers.length;
}

/** Every metric by itself, over several seeds. */
export function meanOf(several: readonly Metrics[]): Metrics {
  const entries = metricNames.map((name) => [name, mean(several.map((metrics) => metrics[name]))] as const);
  return Object.fromEntries(entries) as unknown as Metrics;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
