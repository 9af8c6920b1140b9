import { describe, expect, it, test } from 'vitest';
import { ollama } from '../../../src/engines/ollama.ts';
import { answer, list } from './wire.ts';

const { health, models } = ollama.probes;
const cards = list({ id: 'qwen3:8b', created: 1755000000, owned_by: 'library' });
const tags = (capabilities?: readonly string[]) =>
  answer({ models: [{ name: 'qwen3:8b', model: 'qwen3:8b', details: { context_length: 40960 }, capabilities }] });

test('health is the version', () => {
  expect(health.paths).toEqual(['/api/version']);
  expect(health.read([answer({ version: '0.33.0' })])).toBe('up');
  expect(health.read([answer('', 403)])).toBe('misconfigured');
  expect(health.read([undefined])).toBe('down');
});

test('load is not told', () => expect(ollama.probes.load).toBeUndefined());

describe('models', () => {
  it('are none when the list is null', () => expect(models.read([answer({ object: 'list', data: null })])).toEqual([]));
  it('are unknown without a list', () => {
    for (const missing of [undefined, answer('', 500), answer('Ollama is running'), answer({ data: {} })])
      expect(models.read([missing])).toBeUndefined();
  });
  it('can what they are tagged with', () => {
    expect(models.read([cards, tags(['completion', 'tools', 'thinking'])])?.[0]?.can).toEqual({
      'chat-completions': true,
      completions: true,
      tools: true,
      vision: false,
      audio: false,
    });
    expect(models.read([cards, tags(['embedding'])])?.[0]?.can).toMatchObject({
      'chat-completions': false,
      embeddings: true,
    });
  });
  it('of older servers leave all unknown', () =>
    expect(models.read([cards, tags()])?.[0]).toEqual({ id: 'qwen3:8b', can: {} }));
  it('have the window they are loaded with, not the one they were trained with', () => {
    const loaded = answer({ models: [{ name: 'Qwen3:8B', model: 'Qwen3:8B', context_length: 32768 }] });
    expect(models.read([cards, tags(), loaded])?.[0]?.contextTokens).toBe(32768);
    expect(models.read([cards, tags(), answer({ models: [] })])?.[0]?.contextTokens).toBeUndefined();
  });
  it('may be asked for without :latest', () => {
    const latest = list({ id: 'llama3:latest' });
    const loaded = answer({ models: [{ name: 'llama3', context_length: 4096 }] });
    expect(models.read([latest, undefined, loaded])).toEqual([
      { id: 'llama3:latest', aliases: ['llama3'], can: {}, contextTokens: 4096 },
    ]);
  });
});
