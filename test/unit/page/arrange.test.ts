import { describe, expect, it } from 'vitest';
import { arrange, asInTheFile, columns, sortedBy } from '../../../src/page/arrange.ts';
import { isInTrouble, severityOf, toneOf } from '../../../src/page/tone.ts';
import { aBackend } from '../../support/a-report.ts';

const backends = [
  aBackend({ name: 'gpu-10', in_flight: 3, kv_cache: 0.9, ttft_p95_ms: 200 }),
  aBackend({ name: 'gpu-2', state: 'down', problem: 'connection refused', kv_cache: null, ttft_p95_ms: null }),
  aBackend({ name: 'cpu-1', engine: 'llamacpp', state: 'draining', models: ['bge-m3'], in_flight: 9, kv_cache: 0.2 }),
  aBackend({ name: 'gpu-3', circuit: 'half_open', last_change: null, kv_cache: 0 }),
];
const namesOf = (wanted: Partial<typeof asInTheFile>) =>
  arrange(backends, { ...asInTheFile, ...wanted }).map(({ name }) => name);

describe('the fleet table', () => {
  it('keeps the order of the file until another is asked for', () => {
    expect(namesOf({})).toEqual(['gpu-10', 'gpu-2', 'cpu-1', 'gpu-3']);
  });

  it.each([
    ['LLAMACPP', ['cpu-1']],
    ['bge', ['cpu-1']],
    ['refused', ['gpu-2']],
    ['half_open', ['gpu-3']],
    ['gpu down', ['gpu-2']],
    ['  ', ['gpu-10', 'gpu-2', 'cpu-1', 'gpu-3']],
    ['.*', []],
  ])('filtered by "%s" shows %j', (filter, names) => {
    expect(namesOf({ filter })).toEqual(names);
  });

  it('shows those in trouble, which nobody is whom somebody has drained', () => {
    expect(namesOf({ onlyTrouble: true })).toEqual(['gpu-2', 'gpu-3']);
    expect(isInTrouble(aBackend({ state: 'draining', circuit: 'open' }))).toBe(false);
    expect(isInTrouble(aBackend({ state: 'unknown' }))).toBe(false);
  });

  it('sorts numbers in names as numbers', () => {
    expect(namesOf({ by: 'name' })).toEqual(['cpu-1', 'gpu-2', 'gpu-3', 'gpu-10']);
  });

  it('puts what is not known last, either way round', () => {
    expect(namesOf({ by: 'KV', descending: true })).toEqual(['gpu-10', 'cpu-1', 'gpu-3', 'gpu-2']);
    expect(namesOf({ by: 'KV' })).toEqual(['gpu-3', 'cpu-1', 'gpu-10', 'gpu-2']);
    expect(namesOf({ by: 'last change', descending: true }).at(-1)).toBe('gpu-3');
  });

  it('sorts by every column', () => {
    expect(columns.map((by) => namesOf({ by }).length)).toEqual(columns.map(() => 4));
    expect(namesOf({ by: 'state', descending: true })[0]).toBe('gpu-2');
    expect(namesOf({ by: 'circuit', descending: true })[0]).toBe('gpu-3');
  });

  it('is turned round by a second click on a head, and as in the file after a third', () => {
    const clicks = (by: (typeof columns)[number]) => {
      const first = sortedBy(asInTheFile, by);
      const second = sortedBy(first, by);
      return [first, second, sortedBy(second, by)].map((one) => [one.by, one.descending]);
    };
    expect(clicks('failed')).toEqual([
      ['failed', true],
      ['failed', false],
      [undefined, false],
    ]);
    expect(clicks('name')[0]).toEqual(['name', false]);
  });
});

describe('the tone of a word', () => {
  it('that nobody has heard of is not harmless', () => {
    expect(toneOf('exploded')).toBe('warning');
    expect(toneOf('constructor')).toBe('warning');
  });

  it('is worse the more somebody has to look at it', () => {
    expect(['up', 'draining', 'unknown', 'stalled', 'down'].map(severityOf)).toEqual([0, 1, 2, 3, 4]);
  });
});
