// vLLM: one model, its aliases and LoRA adapters. Facts: vllm-project/vllm, main at 017e9f4448.
import type { Capabilities } from '../fleet/capabilities.ts';
import type { DiscoveredModel, Engine, Health, LoadReading, ProbeAnswer } from './engine.ts';
import { countOf, known, objectOf, textOf } from '../wire/json-value.ts';
import { openai } from './openai.ts';
import { cardsFrom, healthByStatus, loadFrom, objectFrom, pageOf } from './probe-answers.ts';
import { firstOf, readSamples } from './prometheus.ts';

export const vllm: Engine = {
  ...openai,
  name: 'vllm',
  setup: { ports: [8000, 8001, 8002, 8003], load: 'start it without --disable-log-stats' },
  resumes: { chat: 'continue_final_message', completions: true },
  probes: {
    health: {
      paths: ['/health', '/metrics'],
      read: ([health, metrics]) => readHealth(health, metrics),
      intervalMs: 5_000,
      timeoutMs: 2_000,
    },
    models: {
      paths: ['/v1/models', '/openapi.json'],
      read: ([list, api]) => readModels(list, api),
      intervalMs: 30_000,
      timeoutMs: 5_000,
    },
    load: { paths: ['/metrics'], read: ([metrics]) => readLoad(metrics), intervalMs: 2_000, timeoutMs: 2_000 },
  },
};

/** A sleeping vLLM answers `/health` with 200 and lets requests hang; only this series tells. */
function readHealth(health: ProbeAnswer | undefined, metrics: ProbeAnswer | undefined): Health {
  const state = healthByStatus(health);
  if (state !== 'up') return state;
  const sleep = readSamples(pageOf(metrics) ?? '', 'vllm:engine_sleep_state');
  const asleep = sleep.some(({ labels, value }) => (labels.get('sleep_state') === 'awake' ? value === 0 : value > 0));
  return asleep ? 'asleep' : 'up';
}

function readModels(
  list: ProbeAnswer | undefined,
  api: ProbeAnswer | undefined,
): readonly DiscoveredModel[] | undefined {
  const cards = cardsFrom(list);
  if (cards === undefined) return undefined;
  const can = endpointsFrom(api);
  const context = new Map(cards.map(({ id, card }) => [id, countOf(card['max_model_len'])]));
  return cards.map(({ id, card }) => {
    const parent = textOf(card['parent']);
    // LoRA cards have `max_model_len: null` and run in their parent's window.
    const contextTokens = context.get(id) ?? (parent === undefined ? undefined : context.get(parent));
    return { id, can, ...known({ contextTokens }) };
  });
}

/**
 * Routes are registered by what the model can do. Builds that register all of them, whatever the model, tell
 * nothing by it; their replies will.
 */
function endpointsFrom(api: ProbeAnswer | undefined): Capabilities {
  const paths = objectOf(objectFrom(api)?.['paths']);
  if (paths === undefined) return {};
  const chat = '/v1/chat/completions' in paths;
  const embeddings = '/v1/embeddings' in paths;
  if (chat === embeddings) return chat ? {} : { 'chat-completions': false, completions: false, embeddings: false };
  return { 'chat-completions': chat, completions: '/v1/completions' in paths, embeddings };
}

function readLoad(metrics: ProbeAnswer | undefined): LoadReading | undefined {
  const page = pageOf(metrics) ?? '';
  // One sample for each data-parallel engine. The old name of the cache gauge: #18354, #29330.
  const load = loadFrom(
    readSamples(page, 'vllm:num_requests_running'),
    readSamples(page, 'vllm:num_requests_waiting'),
    firstOf(page, 'vllm:kv_cache_usage_perc', 'vllm:gpu_cache_usage_perc'),
  );
  return load && { ...load, ...known({ kvTokens: readCapacity(page) }) };
}

/** What the cache has been configured to stands in the labels of a series that is always 1. */
function readCapacity(page: string): number | undefined {
  const engines = readSamples(page, 'vllm:cache_config_info').map(
    ({ labels }) => Number(labels.get('num_gpu_blocks')) * Number(labels.get('block_size')),
  );
  const tokens = engines.reduce((sum, one) => sum + one, 0);
  return tokens > 0 ? tokens : undefined;
}
