import { describe, expect, it, test } from 'vitest';
import { llamacpp } from '../../../src/engines/llamacpp.ts';
import { answer, list } from './wire.ts';

const { health, models, load } = llamacpp.probes;
const card = (fields: object = {}) => ({
  id: 'm',
  aliases: ['m'],
  owned_by: 'llamacpp',
  meta: { n_ctx: 8192, n_ctx_train: 131072 },
  ...fields,
});
const props = (fields: object = {}) =>
  answer({
    default_generation_settings: { n_ctx: 4096 },
    total_slots: 4,
    modalities: { vision: false, audio: false },
    ...fields,
  });

test('health tells loading from ready', () => {
  expect(
    health.read([answer({ error: { code: 503, message: 'Loading model', type: 'unavailable_error' } }, 503)]),
  ).toBe('loading');
  expect(health.read([answer({ status: 'ok' })])).toBe('up');
  expect(health.read([answer('', 503)])).toBe('down');
});

describe('models', () => {
  it('have the window of a slot, and the slots', () => {
    expect(models.read([list(card()), props()])).toEqual([
      { id: 'm', can: { vision: false, audio: false }, contextTokens: 8192, slots: 4, kvTokens: 32768 },
    ]);
  });
  it('have the window of /props on older builds', () => {
    expect(models.read([list(card({ meta: { n_ctx_train: 131072 } })), props()])?.[0]?.contextTokens).toBe(4096);
    expect(models.read([list(card({ meta: null })), answer('', 401)])?.[0]).toEqual({ id: 'm', can: {} });
  });
  it('see with a projector', () =>
    expect(models.read([list(card()), props({ modalities: { vision: true } })])?.[0]?.can).toEqual({ vision: true }));
  it('go by their other names too', () =>
    expect(models.read([list(card({ aliases: ['m', 'n'] }))])?.[0]?.aliases).toEqual(['n']));
});

const routed = (id: string, value: string, fields: object = {}) =>
  card({ id, aliases: [], meta: null, status: { value }, ...fields });

describe('router mode', () => {
  const router = answer({ role: 'router' });

  it('lists all models, loaded or not, but none that is still being downloaded', () => {
    const all = list(
      routed('a', 'unloaded'),
      routed('b', 'loaded', { meta: { n_ctx: 2048 } }),
      routed('c', 'downloading'),
    );
    expect(models.read([all, router])).toEqual([
      { id: 'a', can: {} },
      { id: 'b', can: {}, contextTokens: 2048 },
    ]);
  });
  it('takes nothing from props, which are of no model', () => {
    expect(models.read([list(routed('a', 'loaded')), props()])?.[0]).toEqual({ id: 'a', can: {} });
  });
  it('tells what goes in', () => {
    const vision = routed('a', 'unloaded', { architecture: { input_modalities: ['text', 'image'] } });
    expect(models.read([list(vision), router])?.[0]?.can).toEqual({ vision: true, audio: false });
  });
  it('is never asked about one model, which would load it', () => {
    for (const probe of [health, models, load]) for (const path of probe?.paths ?? []) expect(path).not.toContain('?');
  });
});

test('load is what runs and what is deferred', () => {
  const page = answer(
    '# TYPE llamacpp:requests_processing gauge\nllamacpp:requests_processing 2\nllamacpp:requests_deferred 5\n',
  );
  expect(load?.read([page])).toEqual({ running: 2, waiting: 5 });
  expect(load?.read([answer({ error: { code: 501 } }, 501)])).toBeUndefined();
});
