// Runs of scenarios, each only once: a policy on a scenario with so many routers and seeds.
import { type Fairness, fairnessOf } from './fairness.ts';
import { measure, meanOf, type Metrics } from './metrics.ts';
import type { SimulatedPolicy } from './routers/router.ts';
import { arrivals, type Scenario, troubleOf } from './scenarios.ts';
import { type Outcome, type Run, simulate } from './simulation.ts';
import type { Trace } from './trace/trace.ts';

export interface Cell {
  readonly scenario: Scenario;
  readonly policy: SimulatedPolicy;
  readonly routers: number;
}

export interface Measured {
  readonly mean: Metrics;
  /** By seed. */
  readonly each: readonly Metrics[];
  readonly fairness: Fairness | undefined;
  readonly retries: number;
  readonly preemptions: number;
  /** Wall clock, of all seeds. */
  readonly tookMs: number;
}

export class Matrix {
  readonly seeds: readonly number[];
  readonly #measured = new Map<string, Measured>();
  readonly #traces = new Map<string, Trace>();
  readonly #told: (line: string) => void;

  /** `told` hears of every run that was not known. */
  constructor(seeds: readonly number[], told: (line: string) => void = () => {}) {
    this.seeds = seeds;
    this.#told = told;
  }

  get({ scenario, policy, routers }: Cell): Measured {
    const sync = policy.sync && routers === 1 ? policy.name.replace(/\+sync$/, '') : policy.name;
    const key = `${scenario.id} ${scenario.rate} ${routers} ${sync}`;
    const known = this.#measured.get(key);
    if (known !== undefined) return known;
    const startMs = performance.now();
    const outcomes = this.seeds.map((seed) => this.outcome({ scenario, policy, routers }, seed));
    const each = outcomes.map((outcome) => measure(outcome, scenario.profile, scenario.objective));
    const first = outcomes[0];
    const measured = {
      mean: meanOf(each),
      each,
      fairness: first === undefined ? undefined : fairnessOf(first, scenario.profile, scenario.objective),
      retries: outcomes.reduce((sum, { retries }) => sum + retries, 0),
      preemptions: outcomes.reduce((sum, { preemptions }) => sum + preemptions, 0),
      tookMs: performance.now() - startMs,
    };
    this.#measured.set(key, measured);
    this.#told(
      `${key}: goodput ${(measured.mean.goodput * 100).toFixed(1)} %, ${(measured.tookMs / 1000).toFixed(1)} s`,
    );
    return measured;
  }

  outcome({ scenario, policy, routers }: Cell, seed: number): Outcome {
    const trace = this.trace(scenario, seed);
    return simulate(runOf({ scenario, policy, routers, trace, seed }));
  }

  trace(scenario: Scenario, seed: number): Trace {
    const key = `${scenario.id} ${scenario.rate} ${seed}`;
    const known = this.#traces.get(key) ?? arrivals(scenario, seed);
    this.#traces.set(key, known);
    return known;
  }
}

function runOf(parts: Cell & { readonly trace: Trace; readonly seed: number }): Run {
  const { scenario, policy, routers, trace, seed } = parts;
  const { profile, backends, speeds = [1], weights = [1], sessionHeaders = false } = scenario;
  const fleet = { profile, backends, speeds, weights };
  return { trace, fleet, policy, routers, seed, sessionHeaders, ...troubleOf(scenario, trace) };
}
