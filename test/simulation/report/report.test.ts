import { describe, expect, it } from 'vitest';
import { Matrix } from '../matrix.ts';
import { policyNamed } from '../policies.ts';
import { type Scenario, scenarios } from '../scenarios.ts';
import { traceOf } from '../trace/trace.ts';
import { drawn } from './line-plot.ts';
import { recordOf } from './record.ts';
import { retention, type Row, table } from './table.ts';

function rows(): readonly Row[] {
  const [first] = scenarios;
  if (first === undefined) throw new Error('no scenario');
  const lines = Array.from({ length: 60 }, (_, n) => ({ at: n / 2, input: 900, output: 9 }));
  const scenario: Scenario = { ...first, backends: 2, rate: 1, trace: () => traceOf('even', lines, 'even') };
  const policy = policyNamed('least-connections');
  return [1, 2].map((routers) => {
    const measured = matrix.get({ scenario, policy, routers });
    return { scenario, policy: policy.name, routers, measured };
  });
}

const matrix = new Matrix([1, 2]);

describe('a report', () => {
  it('has a line for each policy and as many cells in each', () => {
    const lines = table(rows()).split('\n');
    expect(lines).toHaveLength(4);
    expect(new Set(lines.map((line) => line.split('|').length)).size).toBe(1);
    expect(lines[2]).toContain('| least-connections |');
    expect(lines[2]).toContain('| 100.0 |');
  });

  it('says what is kept with several routers', () => {
    expect([...retention(rows())]).toEqual([['least-connections', 1]]);
  });

  it('has all that is needed to get the same again', () => {
    expect(JSON.parse(JSON.stringify(recordOf(matrix, rows())))).toMatchObject({
      seeds: [1, 2],
      rows: [{ trace: { name: 'even', sha256: 'even', requests: 60 }, policy: 'least-connections', routers: 1 }, {}],
    });
  });
});

describe('a plot', () => {
  it('has every line, with nothing outside its axes', () => {
    const svg = drawn({
      title: 'a < b',
      x: { label: 'x', from: 1, to: 100, logarithmic: true },
      y: { label: 'y', from: 0, to: 100 },
      lines: [
        {
          name: 'one',
          points: [
            [1, 0],
            [10, 50],
            [100, 100],
            [1000, 100],
          ],
        },
        { name: 'two', points: [] },
      ],
    });
    expect(svg).toContain('a &lt; b');
    expect(svg).toContain('M64.0 400.0L342.0 220.0L620.0 40.0"');
    expect(svg).toContain('>two</text>');
  });
});
