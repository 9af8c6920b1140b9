import { describe, expect, it, test } from 'vitest';
import { sglang } from '../../../src/engines/sglang.ts';
import { answer, list } from './wire.ts';

const { health, models, load } = sglang.probes;
const cards = list({
  id: 'Qwen/Qwen3-8B',
  owned_by: 'sglang',
  root: 'Qwen/Qwen3-8B',
  parent: null,
  max_model_len: 40960,
});
const adapter = { id: 'sql', owned_by: 'sglang', root: '/adapters/sql', parent: 'Qwen/Qwen3-8B', max_model_len: null };
const model = (fields: object = {}) =>
  answer({
    model_path: 'm',
    is_generation: true,
    has_image_understanding: false,
    has_audio_understanding: false,
    ...fields,
  });
const server = (fields: object = {}) => answer({ tool_call_parser: null, max_running_requests: 256, ...fields });

test('health is asked rarely and patiently, since it generates a token', () => {
  expect(health).toMatchObject({ paths: ['/health'], intervalMs: 20_000, timeoutMs: 30_000 });
});

test('health is loading during warm-up and from SIGTERM on', () => {
  expect(health.read([answer('', 503)])).toBe('loading');
  expect(health.read([answer('')])).toBe('up');
  expect(health.read([undefined])).toBe('down');
});

const only = (...answers: Parameters<typeof models.read>[0]) => models.read(answers)?.[0];

describe('models', () => {
  it('can what the server tells of itself', () => {
    expect(only(cards, model(), server())).toEqual({
      id: 'Qwen/Qwen3-8B',
      can: {
        'chat-completions': true,
        completions: true,
        embeddings: false,
        tools: false,
        vision: false,
        audio: false,
      },
      contextTokens: 40960,
      slots: 256,
    });
  });
  it('embed when the server does not generate', () => {
    expect(only(cards, model({ is_generation: false }))?.can).toMatchObject({
      embeddings: true,
      'chat-completions': false,
    });
  });
  it('see, hear and call tools where told', () => {
    const can = only(
      cards,
      model({ has_image_understanding: true, has_audio_understanding: true }),
      server({ tool_call_parser: 'qwen' }),
    )?.can;
    expect(can).toMatchObject({ vision: true, audio: true, tools: true });
  });
  it('are read from the old paths of older builds', () => {
    const missing = answer({ detail: 'Not Found' }, 404);
    expect(only(cards, missing, missing, model(), server())?.can).toMatchObject({ vision: false, tools: false });
  });
  it('leave unknown what was not told', () =>
    expect(only(cards)).toEqual({ id: 'Qwen/Qwen3-8B', can: {}, contextTokens: 40960 }));
  it('name an adapter with its base, which is the only way to reach it', () => {
    const both = list({ id: 'base', parent: null, max_model_len: 4096 }, { ...adapter, parent: 'base' });
    expect(models.read([both])?.[1]).toEqual({ id: 'base:sql', aliases: ['sql'], can: {}, contextTokens: 4096 });
  });
});

test('load is summed over the ranks of /v1/loads', () => {
  const rank = { num_running_reqs: 8, num_waiting_reqs: 2, token_usage: 0.08, max_total_num_tokens: 400_000 };
  const loads = answer({
    loads: [
      { dp_rank: 0, ...rank },
      { dp_rank: 1, ...rank, token_usage: 0.12 },
    ],
  });
  expect(load?.read([loads, undefined])).toEqual({
    running: 16,
    waiting: 4,
    kvUsage: expect.closeTo(0.1),
    kvTokens: 800_000,
  });
});

test('load falls back to metrics, where tensor-parallel ranks repeat each other', () => {
  const page = answer(`sglang:num_running_reqs{engine_type="unified",model_name="m",pp_rank="0",tp_rank="0"} 8.0
sglang:num_running_reqs{engine_type="unified",model_name="m",pp_rank="0",tp_rank="1"} 8.0
sglang:num_queue_reqs{engine_type="unified",model_name="m",pp_rank="0",tp_rank="0"} 2.0
sglang:token_usage{engine_type="unified",model_name="m",pp_rank="0",tp_rank="0"} 0.08
`);
  expect(load?.read([answer('', 404), page])).toEqual({ running: 8, waiting: 2, kvUsage: 0.08 });
  expect(load?.read([answer('', 404), answer('', 404)])).toBeUndefined();
});
