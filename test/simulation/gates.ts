// What is promised of `least-cost`, each as a number and a bound. Peers are taken at their published defaults where it says "as
// shipped"; where it says "with our sync" they get our synchronisation, and settings that suit them better as well.
import type { Matrix, Measured } from './matrix.ts';
import type { Metrics } from './metrics.ts';
import { microGates } from './micro.ts';
import { asShipped, asShippedWithHistory, policyNamed, withOurSync } from './policies.ts';
import type { SimulatedPolicy } from './routers/router.ts';
import { type Scenario, scenarios } from './scenarios.ts';

export interface Gate {
  readonly what: string;
  readonly value: number;
  /** Met from `least` on, or up to `most`. */
  readonly least?: number;
  readonly most?: number;
  /** Whom or what it was compared with. */
  readonly note?: string;
}

/** Whether all are met. */
export function checkGates(matrix: Matrix, say: (line: string) => void): boolean {
  say('| gate | measured | bound | | |');
  say('| --- | ---: | ---: | --- | --- |');
  let kept = 0;
  const checked = [...goodputGates(matrix), ...agentGates(matrix), ...otherGates(matrix), ...microGates()];
  for (const gate of checked) {
    const { what, value, least, most, note = '' } = gate;
    const met = isMet(gate);
    if (met) kept++;
    const bound = least === undefined ? `≤ ${most ?? 0}` : `≥ ${least}`;
    say(`| ${what} | ${value.toFixed(2)} | ${bound} | ${met ? 'met' : '**missed**'} | ${note} |`);
  }
  say(`\n${kept} of ${checked.length} met`);
  return kept === checked.length;
}

export function isMet({ value, least = -Infinity, most = Infinity }: Gate): boolean {
  // As it is shown, so that nothing is missed by what cannot be seen.
  const shown = Number(value.toFixed(2));
  return shown >= least && shown <= most;
}

function goodputGates(matrix: Matrix): readonly Gate[] {
  const s1 = new Standing(matrix, 'S1');
  const [one, four] = [s1.ours(1), s1.ours(4)];
  const bestAlone = s1.best(asShipped, 1, 'goodput');
  const bestShipped = s1.best(asShipped, 4, 'goodput');
  const bestSync = s1.best(withOurSync, 4, 'goodput');
  const steadiest = s1.best(withOurSync, 4, 'tpotMean');
  const soonest = s1.best(asShipped, 4, 'ttftMean');
  const shortestTail = s1.best(asShipped, 4, 'ttftP99');
  return [
    over('S1, 1 router: goodput, best as shipped', one.goodput, bestAlone, { least: 1.1 }),
    over('S1, 4 routers: goodput, best as shipped', four.goodput, bestShipped, { least: 1.8 }),
    over('S1, 4 routers: goodput, best with our sync', four.goodput, bestSync, { least: 1.12 }),
    over('S1, 4 routers: TTFT mean, best as shipped', four.ttftMean, soonest, { most: 0.4 }),
    over('S1, 4 routers: TTFT p99, best as shipped', four.ttftP99, shortestTail, { most: 0.6 }),
    over(
      'S1, 4 routers: TPOT, with our sync the best goodput',
      four.tpotMean,
      { ...bestSync, value: bestSync.mean.tpotMean },
      { most: 0.8 },
    ),
    over('S1, 4 routers: TPOT, with our sync the best TPOT', four.tpotMean, steadiest, { most: 0.92 }),
  ];
}

function agentGates(matrix: Matrix): readonly Gate[] {
  const s3 = new Standing(matrix, 'S3');
  const four = s3.ours(4);
  return [
    { what: 'S3, 4 routers: hit rate', value: four.hit, least: 0.85 },
    over('S3, 4 routers: hit rate, best history as shipped', four.hit, s3.best(asShippedWithHistory, 4, 'hit'), {
      least: 2.5,
    }),
    over('S3, 4 routers: TTFT mean, best as shipped', four.ttftMean, s3.best(asShipped, 4, 'ttftMean'), { most: 0.2 }),
    over('S3, 4 routers: TTFT mean, best with our sync', four.ttftMean, s3.best(withOurSync, 4, 'ttftMean'), {
      most: 0.7,
    }),
  ];
}

function otherGates(matrix: Matrix): readonly Gate[] {
  const gates: Gate[] = [];
  for (const id of ['S1', 'S2', 'S3', 'S4', 'S5']) {
    const standing = new Standing(matrix, id);
    const value = standing.ours(4).goodput / standing.ours(1).goodput;
    gates.push({ what: `${id}: goodput kept with 4 routers`, value, least: 0.97 });
  }
  const s4 = new Standing(matrix, 'S4');
  for (const routers of [1, 4])
    for (const name of ['least-connections', 'two-choices']) {
      const [ours, peer] = [s4.ours(routers), s4.of(name, routers).mean];
      const what = `S4, ${routers} router${routers === 1 ? '' : 's'}, ${name}`;
      gates.push({ what: `${what}: goodput`, value: ours.goodput / peer.goodput, least: 1 });
      gates.push({ what: `${what}: TTFT mean`, value: ours.ttftMean / peer.ttftMean, most: 1 });
      gates.push({ what: `${what}: TTFT p99`, value: ours.ttftP99 / peer.ttftP99, most: 1 });
    }
  for (const id of ['S5', 'S6']) {
    const standing = new Standing(matrix, id);
    const value = standing.ours(4).goodput / standing.of('least-connections-weighted', 4).mean.goodput;
    gates.push({ what: `${id}, 4 routers: goodput, weighted least-connections`, value, least: 1.15 });
  }
  const [s1, s3] = [new Standing(matrix, 'S1'), new Standing(matrix, 'S3')];
  const lost = s1.of('least-cost-alone', 4).mean.goodput;
  gates.push(over('S1, Redis lost: goodput, best as shipped', lost, s1.best(asShipped, 4, 'goodput'), { least: 1.15 }));
  const lostAgents = s3.of('least-cost-alone', 4).mean.goodput;
  const hashed = s3.of('session-hash', 4).mean.goodput;
  gates.push({ what: 'S3, Redis lost: goodput, session hash', value: lostAgents / hashed, least: 0.97 });
  for (const name of ['least-cost-half', 'least-cost-double']) {
    const value = (s1.ours(4).goodput - s1.of(name, 4).mean.goodput) * 100;
    gates.push({ what: `S1, 4 routers: points lost by ${name}`, value, most: 4 });
  }
  return gates;
}

type Best = { readonly policy: SimulatedPolicy; readonly value: number; readonly mean: Metrics };

/** How all fare in one scenario. */
class Standing {
  readonly #matrix: Matrix;
  readonly #scenario: Scenario;

  constructor(matrix: Matrix, id: string) {
    this.#matrix = matrix;
    const scenario = scenarios.find((one) => one.id === id);
    if (scenario === undefined) throw new Error(`no scenario ${id}`);
    this.#scenario = scenario;
  }

  ours(routers: number): Metrics {
    return this.of('least-cost', routers).mean;
  }

  of(name: string, routers: number): Measured {
    return this.#matrix.get({ scenario: this.#scenario, policy: policyNamed(name), routers });
  }

  best(among: readonly SimulatedPolicy[], routers: number, metric: keyof Metrics): Best {
    const all = among.map((policy): Best => {
      const { mean } = this.of(policy.name, routers);
      return { policy, value: mean[metric], mean };
    });
    const sign = metric === 'goodput' || metric === 'hit' ? -1 : 1;
    const [best] = all.toSorted((a, b) => sign * (a.value - b.value));
    if (best === undefined) throw new Error('nobody to compare with');
    return best;
  }
}

function over(what: string, ours: number, { policy, value }: Best, bound: Pick<Gate, 'least' | 'most'>): Gate {
  return { what, value: ours / value, ...bound, note: `${shown(ours)} to ${shown(value)} of ${policy.name}` };
}

function shown(number: number): string {
  return Number(number.toPrecision(3)).toString();
}
