import { describe, expect, it, test } from 'vitest';
import { readEvent } from '../../../src/engines/stream-reader.ts';

const nothing = { content: false, done: false, usageOnly: false };
const read = (event: unknown) => readEvent(JSON.stringify(event));
const delta = (fields: unknown, rest: object = {}) =>
  read({ choices: [{ index: 0, delta: fields, finish_reason: null, ...rest }] });
const failure = (event: unknown) => read(event).failure;

test('the end is told by [DONE] alone', () => {
  expect(readEvent('[DONE]')).toEqual({ ...nothing, done: true });
  expect(readEvent(' [DONE] ').done).toBe(true);
  expect(readEvent('"[DONE]"').done).toBe(false);
});

test('what is not a JSON object is neither content nor failure', () => {
  for (const data of ['', 'hello', '{"choices":[', '[]', 'null', '3', '"x"']) expect(readEvent(data)).toEqual(nothing);
});

describe('content', () => {
  it.each([
    ['text', { content: 'Hi' }],
    ['content in parts', { content: [{ type: 'text', text: 'Hi' }] }],
    ["SGLang's reasoning", { reasoning_content: 'hm' }],
    ["vLLM's and Ollama's reasoning", { reasoning: 'hm' }],
    ['a refusal', { refusal: 'no' }],
    ['a tool call', { tool_calls: [{ index: 0, function: { name: 'f' } }] }],
    ['audio', { audio: { id: 'a' } }],
  ])('is %s', (_, fields) => expect(delta(fields)).toEqual({ ...nothing, content: true }));

  it('is the text of a completion', () => {
    expect(read({ choices: [{ index: 0, text: 'Hi', finish_reason: null }] }).content).toBe(true);
    expect(read({ choices: [{ index: 0, text: '', finish_reason: null }] }).content).toBe(false);
  });

  it('is a finish reason', () => expect(delta({}, { finish_reason: 'stop' }).content).toBe(true));

  it('may stand in any choice', () => {
    expect(read({ choices: [null, { delta: {} }, { delta: { content: 'x' } }] }).content).toBe(true);
  });

  it.each([
    ['the role', { role: 'assistant', content: '' }],
    ['a role with null', { role: 'assistant', content: null }],
    ["SGLang's null reasoning", { reasoning_content: null, role: 'assistant', content: '' }],
    ['an empty list of tool calls', { tool_calls: [] }],
    ['empty audio', { audio: {} }],
  ])('is not %s', (_, fields) => expect(delta(fields)).toEqual(nothing));

  it('is not an empty finish reason', () => expect(delta({}, { finish_reason: '' }).content).toBe(false));

  it("is not what is left of Ollama's lost error", () => {
    expect(
      read({
        id: 'chatcmpl-1',
        model: '',
        choices: [{ index: 0, delta: { role: 'assistant', content: '' }, finish_reason: null }],
      }),
    ).toEqual(nothing);
  });
});

describe('usage', () => {
  it('stands alone in the event that include_usage asks for', () => {
    expect(read({ choices: [], usage: { prompt_tokens: 5, total_tokens: 7, completion_tokens: 2 } })).toEqual({
      ...nothing,
      usageOnly: true,
      usage: { inputTokens: 5, outputTokens: 2 },
    });
  });

  it('can come with every chunk', () => {
    const event = read({ choices: [{ delta: { content: 'x' } }], usage: { prompt_tokens: 5, completion_tokens: 1 } });
    expect(event).toEqual({ ...nothing, content: true, usage: { inputTokens: 5, outputTokens: 1 } });
  });

  it('that is null is none', () => {
    expect(read({ choices: [{ delta: { content: 'x' } }], usage: null })).toEqual({ ...nothing, content: true });
    expect(read({ choices: [], usage: null })).toEqual(nothing);
  });

  it('without numbers is still the extra event', () =>
    expect(read({ choices: [], usage: {} })).toEqual({ ...nothing, usageOnly: true }));
});

describe('a failure', () => {
  it('is an abort, not an answer', () => {
    expect(delta({ content: '' }, { finish_reason: 'abort' })).toEqual({
      ...nothing,
      failure: { verdict: 'broken', status: 502 },
    });
  });

  it.each([
    [
      'vLLM',
      { error: { message: 'EngineCore died', type: 'InternalServerError', param: null, code: 500 } },
      { verdict: 'broken', status: 500 },
    ],
    [
      'SGLang',
      {
        error: {
          object: 'error',
          message: 'The request queue is full.',
          type: 'SERVICE_UNAVAILABLE',
          param: null,
          code: 503,
        },
      },
      { verdict: 'busy', status: 503 },
    ],
    [
      'SGLang, flat',
      {
        object: 'error',
        message: "The input (9 tokens) is longer than the model's context length (4 tokens).",
        type: 'BadRequestError',
        code: 400,
      },
      { verdict: 'overflow', status: 400 },
    ],
    [
      'TGI, full',
      { error: { message: 'Model is overloaded', http_status_code: 422 } },
      { verdict: 'busy', status: 429 },
    ],
    [
      'TGI, too long',
      {
        error: {
          message: 'Input validation error: `inputs` must have less than 10 tokens. Given: 20',
          http_status_code: 422,
        },
      },
      { verdict: 'overflow', status: 422 },
    ],
    [
      'TGI, bad request',
      { error: { message: 'Template error: no', http_status_code: 422 } },
      { verdict: 'caller', status: 422 },
    ],
    [
      'TGI, failed',
      { error: { message: 'Request failed during generation: CUDA', http_status_code: 422 } },
      { verdict: 'broken', status: 502 },
    ],
    ['TGI, native', { error: 'Model is overloaded', error_type: 'overloaded' }, { verdict: 'busy', status: 429 }],
    [
      'LocalAI',
      { error: { code: 'server_error', message: 'could not load model', type: 'server_error' } },
      { verdict: 'broken', status: 502 },
    ],
    [
      'LocalAI, full',
      {
        error: {
          code: 'server_error',
          message: 'backend inference capacity reached (max_concurrent=4)',
          type: 'server_error',
        },
      },
      { verdict: 'busy', status: 503 },
    ],
    [
      'LocalAI, loading',
      { error: { code: 'model_loading', message: 'x', type: 'model_loading' } },
      { verdict: 'loading', status: 503 },
    ],
    [
      'llama.cpp',
      { error: { code: 500, message: 'image input is not supported - hint: mmproj', type: 'server_error' } },
      { verdict: 'unsupported', capability: 'vision', status: 501 },
    ],
    [
      'a wrong model',
      { error: { code: 'model_not_found', message: 'no', type: 'invalid_request_error' } },
      { verdict: 'wrong-model', status: 404 },
    ],
    [
      'a refused key',
      { error: { code: 401, message: 'no', type: 'authentication_error' } },
      { verdict: 'misconfigured', status: 502 },
    ],
    [
      'a code as text',
      { error: { code: '400', message: 'temperature', type: 'x' } },
      { verdict: 'caller', status: 400 },
    ],
    [
      'an Anthropic shape',
      { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } },
      { verdict: 'busy', status: 429 },
    ],
    ['plain text', { error: 'out of memory' }, { verdict: 'broken', status: 502 }],
  ])('of %s has a verdict and a status to answer with', (_, event, expected) =>
    expect(failure(event)).toEqual(expected),
  );

  it('is never content, whatever stands beside it', () => {
    expect(read({ choices: [{ delta: { content: 'x' } }], error: { message: 'no', code: 500 } }).content).toBe(false);
  });

  it('is not an error field that says nothing', () =>
    expect(read({ choices: [], error: null }).failure).toBeUndefined());
});
