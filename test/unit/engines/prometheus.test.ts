import { expect, test } from 'vitest';
import { firstOf, mean, readSamples, sum } from '../../../src/engines/prometheus.ts';

const page = `# HELP a:load x
# TYPE a:load gauge
a:load{engine="0",model="m"} 12.0
a:load{engine="1",model="say \\"hi\\", {x}\\n"} 3 1755400000
a:load_by_reason{engine="0",reason="a:load"} 99
b 5
 b 6
c +Inf
d NaN
e{x="1} 4
f
g{} 0.5`;

test('samples are found by their exact name, with labels', () => {
  const samples = readSamples(page, 'a:load');
  expect(samples.map(({ value }) => value)).toEqual([12, 3]);
  expect(samples.map(({ labels }) => labels.get('engine'))).toEqual(['0', '1']);
  expect(samples[1]?.labels.get('model')).toBe('say "hi", {x}\n');
});

test('a series without labels is found, with or without braces', () => {
  expect(sum(readSamples(page, 'b'))).toBe(5);
  expect(sum(readSamples(page, 'g'))).toBe(0.5);
});

test('samples that are malformed or not finite are left out', () => {
  for (const name of ['c', 'd', 'e', 'f', 'nothing']) expect(readSamples(page, name)).toEqual([]);
});

test('sum and mean of no samples are unknown, not zero', () => {
  expect(sum([])).toBeUndefined();
  expect(mean([])).toBeUndefined();
  expect(mean(readSamples(page, 'a:load'))).toBe(7.5);
});

test('of several names the first that exists counts', () => {
  expect(sum(firstOf(page, 'new', 'b', 'a:load'))).toBe(5);
  expect(firstOf(page, 'new')).toEqual([]);
});
