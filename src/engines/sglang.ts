// SGLang: one model and its LoRA adapters; takes any model name. Facts: sgl-project/sglang, main at 1e10ec93b3.
import type { Capabilities } from '../fleet/capabilities.ts';
import type { DiscoveredModel, Engine, Health, LoadReading, ProbeAnswer } from './engine.ts';
import { amountOf, booleanOf, countOf, type JsonObject, known, objectsIn, textOf } from '../wire/json-value.ts';
import { openai } from './openai.ts';
import { type Card, cardsFrom, healthByStatus, loadFrom, loadReading, objectFrom, pageOf } from './probe-answers.ts';
import { readSamples, type Sample, sum } from './prometheus.ts';

export const sglang: Engine = {
  ...openai,
  name: 'sglang',
  setup: {
    ports: [30000, 30001],
    load: 'start it with --enable-metrics',
    network: 'is it started with --host 0.0.0.0?',
  },
  resumes: { chat: 'continue_final_message', completions: true },
  modelNames: 'ignored',
  probes: {
    // `/health` generates a token: it takes a second at best and gives up after 20 s.
    health: { paths: ['/health'], read: ([health]) => readHealth(health), intervalMs: 20_000, timeoutMs: 30_000 },
    models: {
      // The last two are what older builds have.
      paths: ['/v1/models', '/model_info', '/server_info', '/get_model_info', '/get_server_info'],
      read: ([list, model, server, oldModel, oldServer]) =>
        readModels(list, objectFrom(model) ?? objectFrom(oldModel), objectFrom(server) ?? objectFrom(oldServer)),
      intervalMs: 30_000,
      timeoutMs: 5_000,
    },
    load: {
      paths: ['/v1/loads?include=core', '/metrics'],
      read: ([loads, metrics]) => readLoads(loads) ?? readMetrics(metrics),
      intervalMs: 2_000,
      timeoutMs: 2_000,
    },
  },
};

/** 503 while it warms up, and from SIGTERM on while it still serves: no new requests, and no failure either. */
function readHealth(health: ProbeAnswer | undefined): Health {
  return health?.status === 503 ? 'loading' : healthByStatus(health);
}

function readModels(
  list: ProbeAnswer | undefined,
  model: JsonObject | undefined,
  server: JsonObject | undefined,
): readonly DiscoveredModel[] | undefined {
  const cards = cardsFrom(list);
  if (cards === undefined) return undefined;
  const can = capabilitiesFrom(model, server);
  const slots = countOf(server?.['max_running_requests']);
  const context = new Map(cards.map(({ id, card }) => [id, countOf(card['max_model_len'])]));
  return cards.map((entry) => {
    const parent = textOf(entry.card['parent']);
    const contextTokens = context.get(entry.id) ?? (parent === undefined ? undefined : context.get(parent));
    return { ...nameOf(entry, parent), can, ...known({ contextTokens, slots }) };
  });
}

/** An adapter is chosen as `base:adapter` only; its bare name would silently be answered by the base model. */
function nameOf({ id }: Card, parent: string | undefined): Pick<DiscoveredModel, 'id' | 'aliases'> {
  return parent === undefined ? { id } : { id: `${parent}:${id}`, aliases: [id] };
}

function capabilitiesFrom(model: JsonObject | undefined, server: JsonObject | undefined): Capabilities {
  const generates = booleanOf(model?.['is_generation']);
  return known({
    'chat-completions': generates,
    completions: generates,
    embeddings: generates === undefined ? undefined : !generates,
    tools: server !== undefined && 'tool_call_parser' in server ? server['tool_call_parser'] !== null : undefined,
    vision: booleanOf(model?.['has_image_understanding']),
    audio: booleanOf(model?.['has_audio_understanding']),
  });
}

/** One entry for each data-parallel rank. */
function readLoads(loads: ProbeAnswer | undefined): LoadReading | undefined {
  const ranks = objectsIn(objectFrom(loads)?.['loads']);
  if (ranks.length === 0) return undefined;
  const total = (field: string) => ranks.reduce((sum, rank) => sum + (amountOf(rank[field]) ?? 0), 0);
  const kvUsage = ranks.every((rank) => amountOf(rank['token_usage']) !== undefined)
    ? total('token_usage') / ranks.length
    : undefined;
  const load = loadReading(total('num_running_reqs'), total('num_waiting_reqs'), kvUsage);
  return { ...load, ...known({ kvTokens: total('max_total_num_tokens') || undefined }) };
}

/** Only with `--enable-metrics`. Tensor-parallel ranks repeat the same counts. */
function readMetrics(metrics: ProbeAnswer | undefined): LoadReading | undefined {
  const page = pageOf(metrics) ?? '';
  const once = (name: string) => readSamples(page, name).filter(isFirstRank);
  const load = loadFrom(once('sglang:num_running_reqs'), once('sglang:num_queue_reqs'), once('sglang:token_usage'));
  return load && { ...load, ...known({ kvTokens: sum(once('sglang:max_total_num_tokens')) || undefined }) };
}

function isFirstRank({ labels }: Sample): boolean {
  return (labels.get('tp_rank') ?? '0') === '0' && (labels.get('pp_rank') ?? '0') === '0';
}
