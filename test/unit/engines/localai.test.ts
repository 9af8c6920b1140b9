import { describe, expect, it, test } from 'vitest';
import { localai } from '../../../src/engines/localai.ts';
import { answer, list } from './wire.ts';

const { health, models } = localai.probes;
const cards = list({ id: 'qwen3-8b' }, { id: 'loose.gguf' });

test('health is loading during the startup preload', () => {
  expect(health.read([answer({ status: 'starting', reason: 'startup preload in progress' }, 503)])).toBe('loading');
  expect(health.read([answer('')])).toBe('up');
  expect(health.read([answer('', 503)])).toBe('down');
  expect(health.read([undefined])).toBe('down');
});

describe('models', () => {
  it('can what is listed, and nothing else', () => {
    const told = list(
      { id: 'qwen3-8b', capabilities: ['chat', 'completion', 'tools'], input_modalities: ['text'] },
      { id: 'loose.gguf', capabilities: [] },
    );
    expect(models.read([cards, told])).toEqual([
      {
        id: 'qwen3-8b',
        can: { 'chat-completions': true, completions: true, embeddings: false, tools: true, vision: false },
      },
      { id: 'loose.gguf', can: {} },
    ]);
  });
  it('hear where audio goes in', () => {
    const told = list({ id: 'qwen3-8b', capabilities: ['chat', 'vision'], input_modalities: ['text', 'audio'] });
    expect(models.read([cards, told])?.[0]?.can).toMatchObject({ audio: true, vision: true });
  });
  it('leave all unknown when capabilities are not told', () => {
    expect(models.read([cards, answer('', 404)])).toEqual([
      { id: 'qwen3-8b', can: {} },
      { id: 'loose.gguf', can: {} },
    ]);
  });
});
