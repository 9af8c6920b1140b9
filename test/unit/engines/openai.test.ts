import { expect, test } from 'vitest';
import { openai } from '../../../src/engines/openai.ts';
import { simulated } from '../../../src/engines/simulated.ts';
import { answer, list } from './wire.ts';

const { health, models } = openai.probes;

test('a server that lists models, or has no list, is up', () => {
  expect(health.read([list({ id: 'm' })])).toBe('up');
  expect(health.read([answer('', 404)])).toBe('up');
});

test('a server that refuses the key is misconfigured; one that fails or is silent is down', () => {
  expect(health.read([answer('', 401)])).toBe('misconfigured');
  expect(health.read([answer('', 403)])).toBe('misconfigured');
  expect(health.read([answer('', 500)])).toBe('down');
  expect(health.read([undefined])).toBe('down');
});

test('the context length is read under its usual names', () => {
  const all = list(
    { id: 'a', context_length: 1 },
    { id: 'b', max_model_len: 2 },
    { id: 'c', context_window: 3 },
    { id: 'd', context_length: '4' },
  );
  expect(models.read([all])).toEqual([
    { id: 'a', can: {}, contextTokens: 1 },
    { id: 'b', can: {}, contextTokens: 2 },
    { id: 'c', can: {}, contextTokens: 3 },
    { id: 'd', can: {} },
  ]);
});

test('entries without an id, and ids listed before, are left out', () => {
  expect(models.read([answer({ data: [{ id: 'a' }, { id: 'a' }, { id: '' }, { id: 7 }, null, 'x', []] })])).toEqual([
    { id: 'a', can: {} },
  ]);
});

test('what is not a list leaves the last one standing', () => {
  for (const body of ['', 'x', '[]', '{}', '{"data":{}}', '{"data":['])
    expect(models.read([answer(body)])).toBeUndefined();
  expect(models.read([answer({ data: [] }, 500)])).toBeUndefined();
});

test('capabilities as a Switchyard tells them are read, and only those', () => {
  const own = list({
    id: 'm',
    context_length: 8192,
    capabilities: { 'chat-completions': true, embeddings: false, tools: 'yes', swimming: true },
  });
  const expected = [{ id: 'm', can: { 'chat-completions': true, embeddings: false }, contextTokens: 8192 }];
  expect(models.read([own])).toEqual(expected);
  expect(simulated.probes.models.read([own])).toEqual(expected);
});

test('a simulated server has a health path of its own', () => {
  expect(simulated.probes.health.paths).toEqual(['/health']);
  expect(simulated.probes.health.read([answer({ status: 'ok' })])).toBe('up');
  expect(simulated.probes.health.read([answer('', 404)])).toBe('down');
});
