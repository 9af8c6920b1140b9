// Hugging Face TGI: one model, no embeddings; takes any model name. Facts: huggingface/text-generation-inference, main at db931fcf42.
import type { DiscoveredModel, Engine, LoadReading, ProbeAnswer } from './engine.ts';
import { countOf, known, textOf } from '../wire/json-value.ts';
import { openai } from './openai.ts';
import { cardsFrom, healthByStatus, loadReading, objectFrom, pageOf } from './probe-answers.ts';
import { readSamples, sum } from './prometheus.ts';

export const tgi: Engine = {
  ...openai,
  name: 'tgi',
  setup: { ports: [3000, 8080] },
  resumes: { completions: true },
  endpoints: new Set(['chat-completions', 'completions'] as const),
  modelNames: 'ignored',
  probes: {
    health: { paths: ['/health'], read: ([health]) => healthByStatus(health), intervalMs: 5_000, timeoutMs: 5_000 },
    models: {
      paths: ['/v1/models', '/info'],
      read: ([list, about]) => readModels(list, about),
      intervalMs: 30_000,
      timeoutMs: 5_000,
    },
    load: { paths: ['/metrics'], read: ([metrics]) => readLoad(metrics), intervalMs: 2_000, timeoutMs: 2_000 },
  },
};

function readModels(
  list: ProbeAnswer | undefined,
  about: ProbeAnswer | undefined,
): readonly DiscoveredModel[] | undefined {
  const server = objectFrom(about);
  const contextTokens = countOf(server?.['max_total_tokens']);
  const slots = countOf(server?.['max_concurrent_requests']);
  const task = textOf(server?.['model_pipeline_tag']);
  // A text model answers an image with nonsense instead of an error, so a "no" can't be learnt from its replies.
  const vision = task === undefined ? undefined : task === 'image-text-to-text';
  return cardsFrom(list)?.map(({ id }) => ({ id, can: known({ vision }), ...known({ contextTokens, slots }) }));
}

/** Series do not exist until first used: absent is 0. */
function readLoad(metrics: ProbeAnswer | undefined): LoadReading | undefined {
  const page = pageOf(metrics);
  if (page === undefined || page.trimStart().startsWith('<')) return undefined;
  const count = (name: string) => sum(readSamples(page, name)) ?? 0;
  return loadReading(count('tgi_batch_current_size'), count('tgi_queue_size'), undefined);
}
