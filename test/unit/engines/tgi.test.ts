import { expect, test } from 'vitest';
import { tgi } from '../../../src/engines/tgi.ts';
import { answer, list } from './wire.ts';

const { health, models, load } = tgi.probes;
const cards = list({
  id: 'meta-llama/Llama-3.1-8B-Instruct',
  created: 0,
  owned_by: 'meta-llama/Llama-3.1-8B-Instruct',
});
const about = (fields: object = {}) =>
  answer({
    model_pipeline_tag: 'text-generation',
    max_concurrent_requests: 128,
    max_input_tokens: 4095,
    max_total_tokens: 4096,
    router: 'text-generation-router',
    ...fields,
  });

test('there are no embeddings', () => expect([...tgi.endpoints]).toEqual(['chat-completions', 'completions']));

test('health is up on 200 and down on 503', () => {
  expect(health.read([answer('')])).toBe('up');
  expect(health.read([answer({ error: 'unhealthy', error_type: 'healthcheck' }, 503)])).toBe('down');
});

test('the window is the total of prompt and answer', () => {
  expect(models.read([cards, about()])).toEqual([
    { id: 'meta-llama/Llama-3.1-8B-Instruct', can: { vision: false }, contextTokens: 4096, slots: 128 },
  ]);
});

test('a model of images and text can see; one of unknown kind may', () => {
  expect(models.read([cards, about({ model_pipeline_tag: 'image-text-to-text' })])?.[0]?.can).toEqual({ vision: true });
  expect(models.read([cards, about({ model_pipeline_tag: null })])?.[0]?.can).toEqual({});
  expect(models.read([cards, undefined])?.[0]).toEqual({ id: 'meta-llama/Llama-3.1-8B-Instruct', can: {} });
});

test('load is the queue and the current batch', () => {
  expect(
    load?.read([answer('tgi_queue_size 3\ntgi_batch_current_size 16\ntgi_batch_current_max_tokens 38000\n')]),
  ).toEqual({ running: 16, waiting: 3 });
});

test('series that do not exist yet are zero', () =>
  expect(load?.read([answer('')])).toEqual({ running: 0, waiting: 0 }));

test('load is unknown without a page of metrics', () => {
  for (const page of [undefined, answer('', 404), answer('<html></html>')]) expect(load?.read([page])).toBeUndefined();
});
