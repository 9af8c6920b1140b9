// LocalAI: a gateway in front of many models, loaded when asked for. Facts: mudler/LocalAI at 82c191afad (v4.9). It tells no load and no
// context length.
import type { Capabilities } from '../fleet/capabilities.ts';
import type { DiscoveredModel, Engine, Health, ProbeAnswer } from './engine.ts';
import { type JsonObject, known, stringsIn } from '../wire/json-value.ts';
import { openai } from './openai.ts';
import { cardsFrom, healthByStatus, objectFrom } from './probe-answers.ts';

export const localai: Engine = {
  ...openai,
  name: 'localai',
  setup: { ports: [8080] },
  probes: {
    health: { paths: ['/readyz'], read: ([ready]) => readHealth(ready), intervalMs: 5_000, timeoutMs: 2_000 },
    models: {
      paths: ['/v1/models', '/v1/models/capabilities'],
      read: ([list, capabilities]) => readModels(list, capabilities),
      intervalMs: 30_000,
      timeoutMs: 5_000,
    },
  },
};

/** `503 {"status":"starting",…}` while it preloads. */
function readHealth(ready: ProbeAnswer | undefined): Health {
  const starting = ready?.status === 503 && objectFrom({ ...ready, status: 200 })?.['status'] === 'starting';
  return starting ? 'loading' : healthByStatus(ready);
}

function readModels(
  list: ProbeAnswer | undefined,
  capabilities: ProbeAnswer | undefined,
): readonly DiscoveredModel[] | undefined {
  const told = new Map(cardsFrom(capabilities)?.map(({ id, card }) => [id, card]));
  return cardsFrom(list)?.map(({ id }) => ({ id, can: capabilitiesFrom(told.get(id)) }));
}

/** A model found as a loose file, without a configuration, has an empty list: nothing is known of it. */
function capabilitiesFrom(card: JsonObject | undefined): Capabilities {
  const list = stringsIn(card?.['capabilities']);
  if (list.length === 0) return {};
  return known({
    'chat-completions': list.includes('chat'),
    completions: list.includes('completion'),
    embeddings: list.includes('embeddings'),
    tools: list.includes('tools'),
    vision: list.includes('vision'),
    // Told by configured limits only, so its absence says nothing.
    audio: stringsIn(card?.['input_modalities']).includes('audio') || undefined,
  });
}
