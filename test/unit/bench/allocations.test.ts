// What the check of allocations takes for a regression.
import { describe, expect, it } from 'vitest';
import { judge, medianOf } from '../../bench/allocations/judge.ts';

const bytes = { plainHeap: 100_000, plainBuffers: 1_500, eventHeap: 7_000, eventBuffers: 400 };

describe('allocations', () => {
  it('are as before within a hundredth', () => {
    expect(verdicts({ ...bytes, plainHeap: 100_900, eventHeap: 6_940 })).toEqual(Array(4).fill('as before'));
  });

  it('have grown where the baseline is a fifth lower', () => {
    const lower = { ...bytes, plainHeap: 80_000 };
    expect(judge(bytes, { node: 'v24.0.0', bytes: lower }, 'v24.0.0')[0]).toMatchObject({ verdict: 'more' });
  });

  it('have grown where a single figure has', () => {
    expect(verdicts({ ...bytes, eventBuffers: 410 })).toEqual(['as before', 'as before', 'as before', 'more']);
  });

  it('may be less than before', () => {
    expect(verdicts({ ...bytes, plainHeap: 50_000 })[0]).toBe('less');
  });

  it('are compared by a tenth with those of another Node.js', () => {
    const more = { ...bytes, plainHeap: 105_000 };
    expect(judge(more, { node: 'v24.0.0', bytes }, 'v26.0.0')[0]?.verdict).toBe('as before');
    expect(judge(more, { node: 'v24.0.0', bytes }, 'v24.0.0')[0]?.verdict).toBe('more');
  });

  it('of several runs are the middle of each figure', () => {
    const runs = [7, 9, 8].map((eventHeap) => ({ ...bytes, eventHeap }));
    expect(medianOf(runs)).toEqual({ ...bytes, eventHeap: 8 });
  });
});

function verdicts(measured: typeof bytes) {
  return judge(measured, { node: 'v24.0.0', bytes }, 'v24.0.0').map(({ verdict }) => verdict);
}
