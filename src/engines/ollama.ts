// Ollama: many models, loaded when asked for. Facts: ollama/ollama at fb30760996 (v0.33). It tells no load: `/api/ps` is residency only.
import type { Capabilities } from '../fleet/capabilities.ts';
import type { DiscoveredModel, Engine, ProbeAnswer } from './engine.ts';
import { countOf, type JsonObject, known, objectsIn, stringsIn, textOf } from '../wire/json-value.ts';
import { openai } from './openai.ts';
import { cardsFrom, healthByStatus, objectFrom } from './probe-answers.ts';

export const ollama: Engine = {
  ...openai,
  name: 'ollama',
  setup: { ports: [11434], network: 'is OLLAMA_HOST set to 0.0.0.0?' },
  usageInEveryEvent: new Set(['completions']),
  probes: {
    health: {
      paths: ['/api/version'],
      read: ([version]) => healthByStatus(version),
      intervalMs: 5_000,
      timeoutMs: 2_000,
    },
    models: {
      paths: ['/v1/models', '/api/tags', '/api/ps'],
      read: ([list, tags, loaded]) => readModels(list, tags, loaded),
      intervalMs: 30_000,
      timeoutMs: 5_000,
    },
  },
};

function readModels(
  list: ProbeAnswer | undefined,
  tags: ProbeAnswer | undefined,
  loaded: ProbeAnswer | undefined,
): readonly DiscoveredModel[] | undefined {
  const tagged = byName(tags);
  const running = byName(loaded);
  return cardsFrom(list)?.map(({ id }) => {
    const key = keyOf(id);
    // The window in use. `details.context_length` is the one it was trained with, and longer prompts than the window
    // are cut silently, so a model that is not loaded has no known context.
    const contextTokens = countOf(running.get(key)?.['context_length']);
    const aliases = id.endsWith(':latest') ? [id.slice(0, -':latest'.length)] : undefined;
    return { id, can: capabilitiesFrom(tagged.get(key)), ...known({ aliases, contextTokens }) };
  });
}

function byName(answer: ProbeAnswer | undefined): ReadonlyMap<string, JsonObject> {
  const models = objectsIn(objectFrom(answer)?.['models']);
  return new Map(models.map((model) => [keyOf(textOf(model['model']) ?? textOf(model['name']) ?? ''), model]));
}

/** Names match case-insensitively and `:latest` is implied. */
function keyOf(name: string): string {
  const key = name.toLowerCase();
  return key.endsWith(':latest') ? key.slice(0, -':latest'.length) : key;
}

function capabilitiesFrom(model: JsonObject | undefined): Capabilities {
  const list = stringsIn(model?.['capabilities']);
  if (list.length === 0) return {}; // older builds
  const generates = list.includes('completion');
  return known({
    'chat-completions': generates,
    completions: generates,
    // Models that generate can embed as well, and Ollama does not check.
    embeddings: list.includes('embedding') || (generates ? undefined : false),
    tools: list.includes('tools'),
    vision: list.includes('vision'),
    audio: list.includes('audio'),
  });
}
