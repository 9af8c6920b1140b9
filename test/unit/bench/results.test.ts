// What the benchmark makes of its figures.
import { describe, expect, it } from 'vitest';
import type { LoadBench } from '../../bench/bench.ts';
import { goalsOf } from '../../bench/goals.ts';
import { readOptions } from '../../bench/options.ts';
import { benchTable, goalsTable } from '../../bench/report.ts';
import { Results, spread } from '../../bench/results.ts';

describe('a spread', () => {
  it('has the middle of an odd number of rounds, and the mean of the middle two of an even number', () => {
    expect(spread([9, 1, 5])).toEqual({ median: 5, least: 1, most: 9 });
    expect(spread([9, 1, 5, 6])).toEqual({ median: 5.5, least: 1, most: 9 });
  });

  it('is none where nothing was measured', () => {
    expect(spread([])).toBeUndefined();
  });
});

describe('results', () => {
  it('leave out of a median the rounds that could not say a figure', () => {
    const results = new Results();
    results.add('plain', 'nginx', { cpuMicros: 20 });
    results.add('plain', 'nginx', { cpuMicros: undefined });
    results.add('plain', 'nginx', { cpuMicros: 30 });
    expect(results.median('plain', 'nginx', 'cpuMicros')).toBe(25);
  });

  it('have no ratio to what was not measured', () => {
    const results = new Results();
    results.add('plain', 'Switchyard', { cpuMicros: 20 });
    expect(results.ratio('plain', 'cpuMicros', ['Switchyard', 'nginx'])).toBeUndefined();
  });
});

describe('the table of a measurement', () => {
  it('shows medians with their spread, and how many times what nginx has', () => {
    const results = new Results();
    results.add('plain', 'nginx', { cpuMicros: 20 });
    for (const cpuMicros of [99, 100, 104]) results.add('plain', 'Switchyard', { cpuMicros });
    const lines = benchTable(plain, results).split('\n');
    expect(lines).toEqual([
      '|  | µs CPU | ÷ nginx |',
      '| --- | ---: | ---: |',
      '| nginx | 20.0 | 1.00 × |',
      '| Switchyard | 100.0 (99.0–104.0) | 5.00 × |',
    ]);
  });
});

describe('goals', () => {
  it('are met up to their bound and missed beyond it', () => {
    expect(goal(ratioOf(6), 'CPU per plain request').isMet).toBe(true);
    expect(goal(ratioOf(6.1), 'CPU per plain request').isMet).toBe(false);
  });

  it('are neither met nor missed where nothing was measured', () => {
    const goals = goalsOf(new Results(), ['some peer']);
    expect(goals.every(({ isMet, measured }) => isMet === undefined && measured === undefined)).toBe(true);
    expect(goalsTable(goals)).toContain('not measured');
  });

  it('compare with the best of the peers', () => {
    const results = ratioOf(5);
    results.add('plain', 'slow peer', { cpuMicros: 900 });
    results.add('plain', 'fast peer', { cpuMicros: 90 });
    const found = goalsOf(results, ['slow peer', 'fast peer']).find(({ target }) => target === 'below every peer');
    expect(found).toMatchObject({ isMet: false, measured: '100.0 µs; the best of 2, fast peer: 90.0 µs' });
  });

  it('are missed where a single round lost an event', () => {
    const results = new Results();
    for (const lost of [0, 1, 0]) results.add('open-streams', 'Switchyard', { lost, streams: 10_000 });
    expect(goal(results, '10,000 open streams').isMet).toBe(false);
  });
});

describe('goals that a run falls short of by itself', () => {
  it('are neither met nor missed', () => {
    const results = new Results();
    results.add('open-streams', 'Switchyard', { lost: 0, streams: 9_500 });
    results.add('endurance', 'Switchyard', { growth: 1, requests: 11_000 });
    expect(goal(results, '10,000 open streams')).toMatchObject({
      measured: '9500 open (descriptors allow no more), 0 lost or wrong',
      isMet: undefined,
    });
    expect(goal(results, 'heap after 1,000,000 requests, 100,000 hang-ups').isMet).toBeUndefined();
  });
});

describe('the command line', () => {
  it('chooses measurements and subjects by name', () => {
    const { benches, subjects } = readOptions(['--only', 'events,plain', '--subjects', 'Switchyard, Redis,nginx']);
    expect(benches.map(({ name }) => name)).toEqual(['plain', 'events']);
    expect(subjects.map(({ name }) => name)).toEqual(['nginx', 'Switchyard, Redis']);
  });

  it('refuses what there is not', () => {
    expect(() => readOptions(['--only', 'plane'])).toThrow(/no such thing: plane; there are plain, /);
    expect(() => readOptions(['--rounds', 'many'])).toThrow('--rounds is a number above 0');
  });
});

const plain: LoadBench = {
  name: 'plain',
  about: '',
  columns: [{ key: 'cpuMicros', title: 'µs CPU', toNginx: true }],
  measure: () => Promise.resolve({}),
};

/** nginx takes 20 µs. */
function ratioOf(ratio: number): Results {
  const results = new Results();
  results.add('plain', 'nginx', { cpuMicros: 20 });
  results.add('plain', 'Switchyard', { cpuMicros: 20 * ratio });
  return results;
}

function goal(results: Results, what: string) {
  const found = goalsOf(results, []).find((one) => one.what === what);
  if (found === undefined) throw new Error(`no goal ${what}`);
  return found;
}
