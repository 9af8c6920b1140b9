// Whether what was allocated is what the baseline says. More than it is a regression; less is good news, and a baseline to be renewed.
import type { Allocations } from './measure.ts';

export interface Baseline {
  /** Of Node.js: another one allocates otherwise. */
  readonly node: string;
  readonly bytes: Allocations;
}

export interface Finding {
  readonly what: string;
  readonly bytes: number;
  readonly baseline: number;
  readonly verdict: 'as before' | 'more' | 'less';
}

const names: Readonly<Record<keyof Allocations, string>> = {
  plainHeap: 'a plain request, heap',
  plainBuffers: 'a plain request, buffers',
  eventHeap: 'an event of a stream, heap',
  eventBuffers: 'an event of a stream, buffers',
};

/** Runs of one build differ by 0.2 % at most. */
const tolerance = 0.01;
/** With another Node.js than that of the baseline. */
const looseTolerance = 0.1;

export function judge(measured: Allocations, { node, bytes }: Baseline, version: string): readonly Finding[] {
  const allowed = node === version ? tolerance : looseTolerance;
  const keys: readonly (keyof Allocations)[] = ['plainHeap', 'plainBuffers', 'eventHeap', 'eventBuffers'];
  return keys.map((key) => {
    const [now, before] = [measured[key], bytes[key]];
    const verdict = now > before * (1 + allowed) ? 'more' : now < before * (1 - allowed) ? 'less' : 'as before';
    return { what: names[key], bytes: now, baseline: before, verdict };
  });
}

/** The middle of each figure. */
export function medianOf(runs: readonly Allocations[]): Allocations {
  const middle = (key: keyof Allocations) => {
    const sorted = runs.map((run) => run[key]).toSorted((a, b) => a - b);
    return Math.round(sorted[Math.floor(sorted.length / 2)] ?? 0);
  };
  return {
    plainHeap: middle('plainHeap'),
    plainBuffers: middle('plainBuffers'),
    eventHeap: middle('eventHeap'),
    eventBuffers: middle('eventBuffers'),
  };
}
