// Two plots: how many requests are still good as the rate grows, and how long the slowest wait for their first token.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Matrix } from '../matrix.ts';
import { countedOf, ttftOf } from '../metrics.ts';
import type { SimulatedPolicy } from '../routers/router.ts';
import type { Scenario } from '../scenarios.ts';
import { drawn, type Line } from './line-plot.ts';

export interface PlotWishes {
  readonly scenario: Scenario;
  readonly policies: readonly SimulatedPolicy[];
  readonly routers: number;
  readonly dir: string;
}

const rateSteps = [0.4, 0.6, 0.8, 0.9, 1, 1.1, 1.25];

/** The files written. */
export function plot(matrix: Matrix, wishes: PlotWishes): readonly string[] {
  mkdirSync(wishes.dir, { recursive: true });
  const { scenario, routers } = wishes;
  const name = `${scenario.id.toLowerCase()}-${routers}-router${routers === 1 ? '' : 's'}`;
  return [
    write(join(wishes.dir, `${name}-goodput.svg`), goodput(matrix, wishes)),
    write(join(wishes.dir, `${name}-ttft.svg`), tails(matrix, wishes)),
  ];
}

function goodput(matrix: Matrix, { scenario, policies, routers }: PlotWishes): string {
  const rates = rateSteps.map((step) => scenario.rate * step);
  const lines = policies.map((policy): Line => {
    const points = rates.map((rate) => {
      const { mean } = matrix.get({ scenario: { ...scenario, rate }, policy, routers });
      return [rate, mean.goodput * 100] as const;
    });
    return { name: policy.name, points };
  });
  return drawn({
    title: `${titleOf(scenario, routers)}: good requests by rate`,
    x: { label: 'arrivals, times the rate of the trace', from: rates[0] ?? 0, to: rates.at(-1) ?? 1 },
    y: { label: 'good requests, %', from: 0, to: 100 },
    lines,
  });
}

function tails(matrix: Matrix, { scenario, policies, routers }: PlotWishes): string {
  const seed = matrix.seeds[0] ?? 1;
  const lines = policies.map((policy): Line => {
    const { served } = matrix.outcome({ scenario, policy, routers }, seed);
    const ttft = countedOf(served)
      .map(ttftOf)
      .toSorted((a, b) => b - a);
    const ranks = new Set(Array.from({ length: 200 }, (_, step) => Math.ceil(ttft.length ** (step / 199))));
    const points = [...ranks].map((rank) => [ttft[rank - 1] ?? 0, rank / ttft.length] as const);
    return { name: policy.name, points: points.toReversed() };
  });
  return drawn({
    title: `${titleOf(scenario, routers)}: who waits longer for the first token`,
    x: { label: 'time to first token, s', from: 0.1, to: 300, logarithmic: true },
    y: { label: 'share that waits longer', from: 0.001, to: 1, logarithmic: true },
    lines,
  });
}

function titleOf({ id, about }: Scenario, routers: number): string {
  return `${id}, ${about}, ${routers} router${routers === 1 ? '' : 's'}`;
}

function write(file: string, text: string): string {
  writeFileSync(file, text);
  return file;
}
