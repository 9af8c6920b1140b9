// The engines' own error texts that send a request to another kind of backend.
import { expect, test } from 'vitest';
import { error, flat, judge, verdict } from './wire.ts';

test.each([
  ['vLLM', 404, error('The model `x` does not exist.', 'NotFoundError', 404)],
  ["vLLM's Rust front end", 404, error('no', 'invalid_request_error', 'model_not_found')],
  ['Ollama', 404, error("model 'x' not found", 'not_found_error')],
  ['Ollama, pull hint', 404, error('model "x" not found, try pulling it first', 'api_error')],
  ['LocalAI', 404, error('model "x" not found. To see available models, call GET /v1/models', '', 404)],
  ["llama.cpp's router", 400, error("model 'x' not found", 'invalid_request_error', 400)],
  ["llama.cpp's router without autoload", 400, error('model is not loaded', 'invalid_request_error', 400)],
  ['SGLang, adapter', 400, flat('The following requested LoRA adapters are not loaded: x', 400)],
  ['SGLang without LoRA', 400, flat("LoRA adapter 'x' was requested, but LoRA is not enabled. Please", 400)],
])('a model that is not on %s is a wrong model', (_, status, body) => {
  expect(verdict(status, body)).toBe('wrong-model');
});

test.each([
  ['FastAPI', 404, { detail: 'Not Found' }],
  ['Ollama', 404, '404 page not found'],
  ['llama.cpp', 404, error('File Not Found', 'not_found_error', 404)],
  ['LocalAI', 404, error('Resource not found', '', 404)],
])('an endpoint that %s does not have is told by its own words', (_, status, body) => {
  expect(judge(status, body)).toEqual({ verdict: 'unsupported', missingRoute: true });
});

test.each([
  ['an empty 404, as of TGI or of anything in between', 404, ''],
  ['a page of some proxy', 404, '<h1>404 Not Found</h1>'],
  ['FastAPI about a method', 405, { detail: 'Method Not Allowed' }],
  ['an option that is not there', 400, error('This parser does not support tool_choice="required" with streaming.')],
  ['a combination that is not there', 501, error('prompt_logprobs is not compatible with beam search')],
])('%s is unsupported, and tells nothing about what else there is', (_, status, body) => {
  expect(judge(status, body)).toEqual({ verdict: 'unsupported' });
});

test.each([
  [
    'tools',
    400,
    error(
      '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set',
      'BadRequestError',
      400,
    ),
  ],
  ['tools', 400, error('registry.ollama.ai/library/x:latest does not support tools', 'invalid_request_error')],
  ['chat-completions', 400, error('"x" does not support chat', 'invalid_request_error')],
  ['completions', 400, error('"x" does not support generate', 'invalid_request_error')],
  ['chat-completions', 501, error('The model does not support Chat Completions API', 'NotImplementedError', 501)],
  ['completions', 501, error('The model does not support Completions API', 'NotImplementedError', 501)],
  [
    'embeddings',
    501,
    error('This server does not support embeddings. Start it with `--embeddings`', 'not_supported_error', 501),
  ],
  [
    'embeddings',
    400,
    flat('This model does not appear to be an embedding model by default. Please add `--is-embedding`', 400),
  ],
  ['vision', 400, error('At most 0 image(s) may be provided in one prompt.', 'BadRequestError', 400)],
  ['audio', 400, error('At most 0 audio(s) may be provided in one prompt.', 'BadRequestError', 400)],
  [
    'vision',
    500,
    error(
      'image input is not supported - hint: if this is unexpected, you may need to provide the mmproj',
      'server_error',
      500,
    ),
  ],
  [
    'audio',
    500,
    error(
      'audio input is not supported - hint: if this is unexpected, you may need to provide the mmproj',
      'server_error',
      500,
    ),
  ],
  ['json_schema', 400, error('This model does not support response_format json_schema')],
])('the lack of %s is told by name', (capability, status, body) => {
  expect(judge(status, body)).toEqual({ verdict: 'unsupported', capability });
});

test('a lack that is no capability of ours is unsupported without a name', () => {
  expect(judge(400, error('"x" does not support thinking'))).toEqual({ verdict: 'unsupported' });
  expect(judge(501, '')).toEqual({ verdict: 'unsupported' });
});
