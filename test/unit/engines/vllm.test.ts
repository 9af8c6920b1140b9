import { describe, expect, it, test } from 'vitest';
import { vllm } from '../../../src/engines/vllm.ts';
import { answer, list } from './wire.ts';

const { health, models, load } = vllm.probes;
const metrics = (sleepState: string) =>
  answer(`vllm:engine_sleep_state{engine="0",model_name="m",sleep_state=${sleepState}\n`);

describe('health', () => {
  it('is up on an empty 200', () => expect(health.read([answer(''), metrics('"awake"} 1.0')])).toBe('up'));
  it('is asleep when no longer awake', () => expect(health.read([answer(''), metrics('"awake"} 0.0')])).toBe('asleep'));
  it('is asleep at any level', () =>
    expect(health.read([answer(''), metrics('"weights_offloaded"} 1.0')])).toBe('asleep'));
  it('goes by /health alone when metrics are missing or say nothing of sleep', () => {
    for (const page of [undefined, answer('', 404), answer('vllm:num_requests_running 1\n')])
      expect(health.read([answer(''), page])).toBe('up');
  });
  it('is loading while it scales', () => {
    expect(
      health.read([answer({ error: 'The model is currently scaling. Please try again later.' }, 503), undefined]),
    ).toBe('loading');
  });
  it('is down when the engine is dead or nothing answers', () => {
    expect(health.read([answer('', 503), metrics('"awake"} 1.0')])).toBe('down');
    expect(health.read([undefined, undefined])).toBe('down');
  });
  it('is misconfigured when the key is refused', () =>
    expect(health.read([answer({ error: 'Unauthorized' }, 401), undefined])).toBe('misconfigured'));
});

const cards = list(
  { id: 'Qwen/Qwen3-8B', owned_by: 'vllm', root: 'Qwen/Qwen3-8B', parent: null, max_model_len: 40960 },
  { id: 'sql-lora', owned_by: 'vllm', root: '/adapters/sql', parent: 'Qwen/Qwen3-8B', max_model_len: null },
);
const api = (...paths: readonly string[]) => answer({ paths: Object.fromEntries(paths.map((path) => [path, {}])) });

describe('models', () => {
  it('are the cards, with adapters in the window of their parent', () => {
    expect(models.read([cards, undefined])).toEqual([
      { id: 'Qwen/Qwen3-8B', can: {}, contextTokens: 40960 },
      { id: 'sql-lora', can: {}, contextTokens: 40960 },
    ]);
  });
  it('can what has a route', () => {
    const can = (document: ReturnType<typeof api>) => models.read([cards, document])?.[0]?.can;
    expect(can(api('/v1/chat/completions', '/v1/completions'))).toEqual({
      'chat-completions': true,
      completions: true,
      embeddings: false,
    });
    expect(can(api('/v1/embeddings', '/health'))).toEqual({
      'chat-completions': false,
      completions: false,
      embeddings: true,
    });
    expect(can(api('/rerank'))).toEqual({ 'chat-completions': false, completions: false, embeddings: false });
  });
  it('tell nothing when every route exists, or none is documented', () => {
    expect(models.read([cards, api('/v1/chat/completions', '/v1/completions', '/v1/embeddings')])?.[0]?.can).toEqual(
      {},
    );
    expect(models.read([cards, answer({ detail: 'Not Found' }, 404)])?.[0]?.can).toEqual({});
  });
  it('are unknown when the list is refused', () =>
    expect(models.read([answer({ error: 'Unauthorized' }, 401), undefined])).toBeUndefined());
});

test('load is summed over the engines of a data-parallel server', () => {
  const page = answer(`# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{engine="0",model_name="m"} 12.0
vllm:num_requests_running{engine="1",model_name="m"} 4.0
vllm:num_requests_waiting{engine="0",model_name="m"} 3.0
vllm:num_requests_waiting_by_reason{engine="0",model_name="m",reason="capacity"} 3.0
vllm:kv_cache_usage_perc{engine="0",model_name="m"} 0.41
vllm:kv_cache_usage_perc{engine="1",model_name="m"} 0.21
`);
  expect(load?.read([page])).toEqual({ running: 16, waiting: 3, kvUsage: expect.closeTo(0.31) });
});

test('how much its cache has room for is in the labels of a series', () => {
  const page = answer(`vllm:num_requests_running{engine="0"} 0.0
vllm:num_requests_waiting{engine="0"} 0.0
vllm:cache_config_info{block_size="16",engine="0",num_gpu_blocks="20000"} 1.0
vllm:cache_config_info{block_size="16",engine="1",num_gpu_blocks="10000"} 1.0
`);
  expect(load?.read([page])).toEqual({ running: 0, waiting: 0, kvTokens: 480_000 });
  const unset = answer(
    'vllm:num_requests_running 0\nvllm:cache_config_info{block_size="16",num_gpu_blocks="None"} 1.0\n',
  );
  expect(load?.read([unset])).toEqual({ running: 0, waiting: 0 });
});

test('the old name of the cache gauge is read too', () => {
  const page = answer('vllm:num_requests_running 1\nvllm:num_requests_waiting 0\nvllm:gpu_cache_usage_perc 0.5\n');
  expect(load?.read([page])).toEqual({ running: 1, waiting: 0, kvUsage: 0.5 });
});

test('load is unknown when statistics are switched off', () =>
  expect(load?.read([answer('process_cpu_seconds_total 1\n')])).toBeUndefined());
