import { describe, expect, it } from 'vitest';
import { capacityOf } from './capacity.ts';
import { isMet } from './gates.ts';
import { Matrix } from './matrix.ts';
import { measure, quantile } from './metrics.ts';
import { policies, policyNamed } from './policies.ts';
import { profiles } from './replica/profiles.ts';
import { type Scenario, scenarios } from './scenarios.ts';
import { type FleetShape, simulate } from './simulation.ts';
import { agentTrace, documentTrace } from './trace/generated.ts';
import { traceOf } from './trace/trace.ts';

const profile = profiles['8b-h100'];
const objective = { ttftS: 2, prefillFactor: 1, tpotS: 0.1 };
const fleet: FleetShape = { profile, backends: 4, speeds: [1], weights: [1] };
const agents = agentTrace({ seed: 3, sessions: 12, gapS: 3, maxTokens: 40_000 });
const many = agentTrace({ seed: 4, sessions: 40, gapS: 2, maxTokens: 64 * 1024 });
const documents = documentTrace({ seed: 3, requests: 300, ratePerS: 6 });

describe('a run', () => {
  it.each([...policies.keys()])('with %s ends every request once', (name) => {
    const { served } = simulate({ trace: documents, fleet, policy: policyNamed(name), routers: 2, seed: 1 });
    expect(new Set(served.map(({ request }) => request.index)).size).toBe(documents.requests.length);
    expect(served).toHaveLength(documents.requests.length);
    expect(served.every(({ arrivedS, firstTokenS, endedS }) => arrivedS < firstTokenS && firstTokenS <= endedS)).toBe(
      true,
    );
  });

  it('is the same for the same seed, and another one for another', () => {
    const run = (seed: number) =>
      simulate({ trace: agents, fleet, policy: policyNamed('least-cost'), routers: 3, seed }).served;
    expect(run(5)).toEqual(run(5));
    expect(run(6)).not.toEqual(run(5));
  });

  it('of a closed loop has nobody ask before the answer and the time to think', () => {
    const { served } = simulate({ trace: agents, fleet, policy: policyNamed('random'), routers: 1, seed: 1 });
    const endedS = new Map(served.map((one) => [one.request.index, one.endedS]));
    const later = served.filter(({ request }) => request.after !== undefined);
    expect(later.length).toBeGreaterThan(50);
    for (const { request, arrivedS } of later)
      expect(arrivedS).toBeCloseTo((endedS.get(request.after ?? -1) ?? 0) + request.thinkS, 6);
  });

  it('tries elsewhere what a dying backend had not begun to answer, and loses what it had', () => {
    const churn = { backend: 1, diesS: 15, returnsS: 30 };
    const { served, retries } = simulate({
      trace: documents,
      fleet,
      policy: policyNamed('least-cost'),
      routers: 2,
      seed: 1,
      churn,
    });
    expect(served).toHaveLength(documents.requests.length);
    const lost = served.filter(({ ok }) => !ok);
    expect(lost.length + retries).toBeGreaterThan(0);
    expect(lost.every(({ backend, endedS }) => backend === 1 && Math.abs(endedS - 15) < 1e-6)).toBe(true);
    const there = served.filter(({ backend, endedS, arrivedS }) => backend === 1 && arrivedS > 15 && endedS < 30);
    expect(there).toEqual([]);
  });

  it('through several routers loses less when they tell each other', () => {
    const goodput = (name: string) => {
      const outcome = simulate({ trace: agents, fleet, policy: policyNamed(name), routers: 4, seed: 1 });
      return measure(outcome, profile, objective);
    };
    expect(goodput('lmetric+sync').hit).toBeGreaterThan(goodput('lmetric').hit + 0.1);
    expect(goodput('least-cost').hit).toBeGreaterThan(goodput('least-cost-alone').hit);
  });

  it('of more conversations than caches hold serves more of them well with least-cost than with least-connections', () => {
    for (const routers of [1, 4]) {
      const of = (name: string) =>
        measure(simulate({ trace: many, fleet, policy: policyNamed(name), routers, seed: 2 }), profile, objective);
      const [ours, counting] = [of('least-cost'), of('least-connections')];
      expect(ours.hit).toBeGreaterThan(counting.hit + 0.2);
      expect(ours.ttftMean).toBeLessThan(counting.ttftMean / 2);
      expect(ours.goodput).toBeGreaterThanOrEqual(counting.goodput);
    }
  });
});

describe('a scenario', () => {
  const small: Scenario = {
    ...(scenarios[0] ?? fail()),
    profile,
    backends: 2,
    rate: 1,
    trace: () =>
      traceOf(
        'even',
        Array.from({ length: 200 }, (_, n) => ({ at: n / 4, input: 2000, output: 20 })),
        'even',
      ),
  };

  it('is run only once for the same policy', () => {
    const told: string[] = [];
    const matrix = new Matrix([1, 2], (line) => told.push(line));
    const policy = policyNamed('least-connections');
    expect(matrix.get({ scenario: small, policy, routers: 1 })).toBe(
      matrix.get({ scenario: small, policy, routers: 1 }),
    );
    // With one router there is nobody to tell.
    matrix.get({ scenario: small, policy: policyNamed('least-connections+sync'), routers: 1 });
    expect(told).toHaveLength(1);
  });

  it('has a capacity between a rate that it takes and one that it does not', () => {
    const wishes = { scenario: { ...small, rate: 8 }, policy: policyNamed('least-connections'), routers: 1, seed: 1 };
    // 2 x 27,000 prompt tokens a second, 2,000 to a request.
    expect(capacityOf(wishes)).toBeGreaterThan(10);
    expect(capacityOf(wishes)).toBeLessThan(27);
  });

  it('tells how tenants fare', () => {
    const flooded = scenarios.find(({ id }) => id === 'S9') ?? fail();
    const trace = flooded.trace(1);
    const shares = Map.groupBy(trace.requests, ({ tenant }) => tenant);
    expect(shares.size).toBe(9);
    expect(shares.get('flood')?.length).toBe(Math.round((3000 / 8) * 5));
  });
});

describe('a figure', () => {
  it('of a share is the nearest rank', () => {
    const ascending = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
    expect([quantile(ascending, 0.5), quantile(ascending, 0.9), quantile(ascending, 0.99)]).toEqual([5, 9, 10]);
  });

  it('meets its gate as it is shown', () => {
    expect(isMet({ what: '', value: 0.9651, least: 0.97 })).toBe(true);
    expect(isMet({ what: '', value: 0.9649, least: 0.97 })).toBe(false);
    expect(isMet({ what: '', value: 0.41, most: 0.4 })).toBe(false);
  });
});

function fail(): never {
  throw new Error('not there');
}
