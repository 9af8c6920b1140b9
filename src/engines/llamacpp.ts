// llama.cpp's llama-server: one model whatever name is asked for, or many in router mode. Facts: ggml-org/llama.cpp at 3f545becce, tools/server.
import type { DiscoveredModel, Engine, LoadReading, ProbeAnswer } from './engine.ts';
import { booleanOf, countOf, type JsonObject, known, objectOf, stringsIn, textOf } from '../wire/json-value.ts';
import { openai } from './openai.ts';
import { type Card, cardsFrom, healthByStatus, loadFrom, objectFrom, pageOf } from './probe-answers.ts';
import { readSamples } from './prometheus.ts';

export const llamacpp: Engine = {
  ...openai,
  name: 'llamacpp',
  setup: { ports: [8080, 8081], load: 'start it with --metrics', network: 'is it started with --host 0.0.0.0?' },
  resumes: { chat: 'last_message', completions: true },
  modelNames: 'ignored',
  probes: {
    health: { paths: ['/health'], read: ([health]) => healthByStatus(health), intervalMs: 5_000, timeoutMs: 2_000 },
    models: {
      // Never `/props?model=…`: in router mode that loads the model.
      paths: ['/v1/models', '/props'],
      read: ([list, props]) => readModels(list, objectFrom(props)),
      intervalMs: 30_000,
      timeoutMs: 5_000,
    },
    // Only with `--metrics`. Not `/slots`: it wakes a sleeping model. Older builds answer between decode steps, so a
    // long prompt delays the scrape.
    load: { paths: ['/metrics'], read: ([metrics]) => readLoad(metrics), intervalMs: 2_000, timeoutMs: 10_000 },
  },
};

function readModels(
  list: ProbeAnswer | undefined,
  props: JsonObject | undefined,
): readonly DiscoveredModel[] | undefined {
  const cards = cardsFrom(list);
  // One process with one model has no `status`; router mode lists all, loaded or not, and loads on request.
  if (props?.['role'] === 'router' || cards?.some(({ card }) => isStatus(card['status'])) === true) {
    return cards?.filter(({ card }) => objectOf(card['status'])?.['value'] !== 'downloading').map(routedModel);
  }
  return cards?.map((card) => servedModel(card, props));
}

function isStatus(value: unknown): boolean {
  return textOf(objectOf(value)?.['value']) !== undefined;
}

function servedModel(entry: Card, props: JsonObject | undefined): DiscoveredModel {
  const settings = objectOf(props?.['default_generation_settings']);
  const modalities = objectOf(props?.['modalities']);
  const contextTokens = contextOf(entry) ?? countOf(settings?.['n_ctx']);
  const slots = countOf(props?.['total_slots']);
  const can = known({ vision: booleanOf(modalities?.['vision']), audio: booleanOf(modalities?.['audio']) });
  const kvTokens = contextTokens === undefined || slots === undefined ? undefined : contextTokens * slots;
  return { id: entry.id, can, ...known({ aliases: aliasesOf(entry), contextTokens, slots, kvTokens }) };
}

function routedModel(entry: Card): DiscoveredModel {
  const inputs = stringsIn(objectOf(entry.card['architecture'])?.['input_modalities']);
  const can = inputs.length === 0 ? {} : { vision: inputs.includes('image'), audio: inputs.includes('audio') };
  return { id: entry.id, can, ...known({ aliases: aliasesOf(entry), contextTokens: contextOf(entry) }) };
}

/** What a slot has at run time; `n_ctx_train` is what the model was trained with. */
function contextOf({ card }: Card): number | undefined {
  return countOf(objectOf(card['meta'])?.['n_ctx']);
}

function aliasesOf({ id, card }: Card): readonly string[] | undefined {
  const aliases = stringsIn(card['aliases']).filter((alias) => alias !== '' && alias !== id);
  return aliases.length === 0 ? undefined : aliases;
}

function readLoad(metrics: ProbeAnswer | undefined): LoadReading | undefined {
  const page = pageOf(metrics) ?? '';
  // The cache gauge is gone since #13660.
  return loadFrom(
    readSamples(page, 'llamacpp:requests_processing'),
    readSamples(page, 'llamacpp:requests_deferred'),
    readSamples(page, 'llamacpp:kv_cache_usage_ratio'),
  );
}
