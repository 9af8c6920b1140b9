// Results for machines: all that is needed to get the same again, and every number of every seed.
import type { Matrix } from '../matrix.ts';
import type { Row } from './table.ts';

export function recordOf(matrix: Matrix, rows: readonly Row[]): object {
  return {
    date: new Date().toISOString(),
    node: process.version,
    seeds: matrix.seeds,
    note: 'simulated, not measured on a GPU',
    rows: rows.map(({ scenario, policy, routers, measured, capacity }) => {
      const { name, sha256, requests } = matrix.trace(scenario, matrix.seeds[0] ?? 1);
      const { id, rate, backends, profile, objective, speeds, weights } = scenario;
      return {
        scenario: id,
        trace: { name, sha256, requests: requests.length },
        fleet: { backends, profile, speeds, weights },
        rate,
        objective,
        policy,
        routers,
        capacity,
        ...measured,
      };
    }),
  };
}
