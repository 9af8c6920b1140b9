// Any server that speaks the OpenAI API and says no more about itself: the description the other engines start from.
// A Switchyard in front of a fleet of its own is such a server, and its extra fields in `/v1/models` are read.
import { type Capabilities, capabilityNames, endpointNames, type EndpointName } from '../fleet/capabilities.ts';
import type { DiscoveredModel, Engine, Health, ProbeAnswer } from './engine.ts';
import { booleanOf, countOf, type JsonObject, known, objectOf } from '../wire/json-value.ts';
import { judgeReply } from './judge-reply.ts';
import { type Card, cardsFrom, healthByStatus } from './probe-answers.ts';
import { readEvent } from './stream-reader.ts';

const paths: Readonly<Record<EndpointName, string>> = {
  'chat-completions': '/v1/chat/completions',
  completions: '/v1/completions',
  embeddings: '/v1/embeddings',
};

export const openai: Engine = {
  name: 'openai',
  endpoints: new Set(endpointNames),
  modelNames: 'checked',
  path: (endpoint) => paths[endpoint],
  judge: judgeReply,
  readEvent,
  probes: {
    // The one free path such servers are likely to have.
    health: { paths: ['/v1/models'], read: ([list]) => answers(list), intervalMs: 10_000, timeoutMs: 5_000 },
    models: {
      paths: ['/v1/models'],
      read: ([list]) => cardsFrom(list)?.map(modelFrom),
      intervalMs: 30_000,
      timeoutMs: 5_000,
    },
  },
};

/** A server without a list of models is up all the same. */
function answers(list: ProbeAnswer | undefined): Health {
  return list?.status === 404 ? 'up' : healthByStatus(list);
}

function modelFrom({ id, card }: Card): DiscoveredModel {
  const contextTokens =
    countOf(card['context_length']) ?? countOf(card['max_model_len']) ?? countOf(card['context_window']);
  return { id, can: declared(objectOf(card['capabilities'])), ...known({ contextTokens }) };
}

/** The names that are ours, where they are told as yes or no. */
function declared(capabilities: JsonObject | undefined): Capabilities {
  return known(Object.fromEntries(capabilityNames.map((name) => [name, booleanOf(capabilities?.[name])])));
}
