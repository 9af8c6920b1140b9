import { expect, test } from 'vitest';
import { detect, detectionPaths } from '../../../src/engines/detect.ts';
import type { ProbeAnswer } from '../../../src/engines/engine.ts';
import { answer, list } from './wire.ts';

type Path = (typeof detectionPaths)[number];
const detected = (answers: Partial<Record<Path, ProbeAnswer>>) => detect(detectionPaths.map((path) => answers[path]));

const notFound = answer({ detail: 'Not Found' }, 404);
const version = answer({ version: '0.11.0' });
const looksLikeOllama = { '/': answer('Ollama is running'), '/api/version': version };
const unauthorized = answer({ error: 'Unauthorized' }, 401);

test('LocalAI is known by its own document, although it imitates Ollama', () => {
  expect(
    detected({
      '/.well-known/localai.json': answer({ name: 'LocalAI' }),
      '/v1/models': list({ id: 'm' }),
      ...looksLikeOllama,
    }),
  ).toBe('localai');
});

test('a page that any path answers with is not that document', () => {
  expect(detected({ '/.well-known/localai.json': answer('<html></html>'), '/v1/models': list({ id: 'm' }) })).toBe(
    'openai',
  );
});

test('llama.cpp is known by its header, its list or its router', () => {
  expect(detected({ '/v1/models': answer({ error: {} }, 401, { server: 'llama.cpp' }) })).toBe('llamacpp');
  expect(detected({ '/v1/models': list({ id: 'm', owned_by: 'llamacpp' }) })).toBe('llamacpp');
  expect(detected({ '/v1/models': list({ id: 'm' }), '/props': answer({ role: 'router' }) })).toBe('llamacpp');
});

test('TGI is known by its router', () => {
  expect(
    detected({ '/v1/models': list({ id: 'm', owned_by: 'm' }), '/info': answer({ router: 'text-generation-router' }) }),
  ).toBe('tgi');
});

test('SGLang is known by its list or its model, although it imitates Ollama', () => {
  expect(detected({ '/v1/models': list({ id: 'm', owned_by: 'sglang' }), ...looksLikeOllama })).toBe('sglang');
  expect(
    detected({ '/v1/models': list({ id: 'm', owned_by: 'me' }), '/model_info': answer({ is_generation: true }) }),
  ).toBe('sglang');
});

test('vLLM is known by its list, and behind a key by its version', () => {
  expect(detected({ '/v1/models': list({ id: 'm', owned_by: 'vllm' }), '/version': version, '/info': notFound })).toBe(
    'vllm',
  );
  expect(detected({ '/v1/models': unauthorized, '/version': version })).toBe('vllm');
  expect(detected({ '/v1/models': unauthorized, '/version': unauthorized })).toBeUndefined();
});

test('a version alone makes no vLLM', () =>
  expect(detected({ '/v1/models': list({ id: 'm' }), '/version': version })).toBe('openai'));

test('Ollama is known by its greeting and its version, with or without models', () => {
  expect(detected({ '/v1/models': answer({ object: 'list', data: null }), ...looksLikeOllama })).toBe('ollama');
  expect(detected({ '/v1/models': list({ id: 'm', owned_by: 'library' }), ...looksLikeOllama })).toBe('ollama');
});

test('our own stand-in says so', () =>
  expect(detected({ '/v1/models': list({ id: 'm', owned_by: 'switchyard-simulated' }) })).toBe('simulated'));

test('any other list is that of an OpenAI server', () =>
  expect(detected({ '/v1/models': list({ id: 'm', owned_by: 'me' }) })).toBe('openai'));

test('nothing known stays unknown', () => {
  expect(detected({})).toBeUndefined();
  expect(detect([])).toBeUndefined();
  expect(detected({ '/': answer('<html></html>'), '/api/version': version })).toBeUndefined();
});

test('an embeddings-only TEI server is unknown: it has no list of models', () => {
  expect(
    detected({
      '/info': answer({ model_type: { embedding: {} }, max_client_batch_size: 32 }),
      '/v1/models': answer('', 404),
    }),
  ).toBeUndefined();
});
