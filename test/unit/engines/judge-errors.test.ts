// The engines' own error texts: whose fault, too long, full, loading or broken.
import { describe, expect, it, test } from 'vitest';
import { error, flat, judge, verdict } from './wire.ts';

test('a refused credential is misconfigured in every dialect', () => {
  expect(verdict(401, { error: 'Unauthorized' })).toBe('misconfigured');
  expect(verdict(401, '')).toBe('misconfigured');
  expect(verdict(401, { error: { code: 401, message: 'Invalid API Key', type: 'authentication_error' } })).toBe(
    'misconfigured',
  );
  expect(verdict(403, { error: 'Forbidden' })).toBe('misconfigured');
  expect(verdict(403, '')).toBe('misconfigured');
});

test('a 403 can also mean a disabled model or feature', () => {
  expect(verdict(403, error('model x is disabled', 'model_disabled', 403))).toBe('wrong-model');
  expect(verdict(403, error('tools are disabled', 'feature_disabled', 403))).toBe('unsupported');
  expect(verdict(403, error('ollama cloud is disabled'))).toBe('wrong-model');
});

describe.each([
  [
    'vLLM',
    400,
    error(
      "This model's maximum context length is 4096 tokens. However, you requested 512 output tokens",
      'BadRequestError',
      400,
    ),
  ],
  [
    'vLLM, short form',
    400,
    error("Input length (9000) exceeds model's maximum context length (4096).", 'BadRequestError', 400),
  ],
  ['SGLang', 400, flat("The input (9000 tokens) is longer than the model's context length (4096 tokens).", 400)],
  [
    'SGLang with max_tokens',
    400,
    flat("Requested token count exceeds the model's maximum context length of 4096 tokens.", 400),
  ],
  [
    'SGLang, scheduler',
    400,
    flat(
      'Input length (9000 tokens) exceeds the maximum allowed length (4090 tokens). Use a shorter input',
      400,
      '400',
    ),
  ],
  [
    'TGI',
    422,
    {
      error: 'Input validation error: `inputs` must have less than 4095 tokens. Given: 5000',
      error_type: 'validation',
    },
  ],
  [
    'TGI with max_tokens',
    422,
    {
      error: 'Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096. Given: 4000 `inputs` tokens',
      error_type: 'validation',
    },
  ],
  [
    'Ollama',
    400,
    error(
      'the prompt is longer than the context length currently available to the model; shorten the prompt',
      'invalid_request_error',
    ),
  ],
  ['Ollama embeddings', 400, error('the input length exceeds the context length', 'invalid_request_error')],
  [
    'llama.cpp',
    400,
    {
      error: {
        code: 400,
        message: 'request (9000 tokens) exceeds the available context size (8192 tokens), try increasing it',
        type: 'exceed_context_size_error',
      },
    },
  ],
  [
    'llama.cpp embeddings',
    500,
    error(
      'input (600 tokens) is too large to process. increase the physical batch size (current batch size: 512)',
      'server_error',
      500,
    ),
  ],
  [
    'llama.cpp embeddings, context',
    400,
    error(
      'input (9000 tokens) is larger than the max context size (8192 tokens). skipping',
      'invalid_request_error',
      400,
    ),
  ],
  [
    'LocalAI',
    500,
    error('rpc error: code = Unknown desc = request (9000 tokens) exceeds the available context size', '', 500),
  ],
])('an over-long prompt on %s', (_, status, body) => {
  it('is an overflow', () => expect(judge(status, body)).toEqual({ verdict: 'overflow' }));
});

test.each([
  ['TGI', 429, { error: 'Model is overloaded', error_type: 'overloaded' }, {}],
  ['anything that says 429', 429, '', {}],
  ['SGLang', 503, flat('The request queue is full.', 503, '503'), {}],
  ['SGLang, preempted', 503, flat('The request is aborted by a higher priority request.', 503), {}],
  ['SGLang, waited too long', 503, flat('Request waiting timeout reached.', 503), {}],
  ['Ollama', 503, error('server busy, please try again.  maximum pending requests exceeded', 'api_error'), {}],
  [
    'LocalAI',
    503,
    error('backend inference capacity reached (max_concurrent=1024); retry after 1s'),
    { 'retry-after': '1' },
  ],
  ['LocalAI with opaque errors', 503, '', { 'retry-after': '1' }],
  ['LocalAI after a failed load', 503, error('backend failed recently'), { 'retry-after': '10' }],
  ['llama.cpp', 503, error('no slot available', 'unavailable_error', 503), {}],
  ['vLLM with a queue cap', 503, error('Too many queued requests', 'ServiceUnavailableError', 503), {}],
])('%s is busy when it is full', (_, status, body, headers) => {
  expect(verdict(status, body, headers)).toBe('busy');
});

test.each([
  ['llama.cpp', error('Loading model', 'unavailable_error', 503), {}],
  [
    'LocalAI',
    { error: { code: 'model_loading', type: 'model_loading', message: 'x' }, loading: {} },
    { 'retry-after': '5' },
  ],
  ['vLLM while it scales', { error: 'The model is currently scaling. Please try again later.' }, {}],
])('%s is loading, not failing', (_, body, headers) => {
  expect(verdict(503, body, headers)).toBe('loading');
});

test('a 503 that says nothing known is broken', () => {
  for (const body of ['', '<html>Service Unavailable</html>', { error: 'unhealthy', error_type: 'healthcheck' }]) {
    expect(verdict(503, body)).toBe('broken');
  }
});

test('a priority that SGLang was not told to accept is the fault of the caller', () => {
  expect(verdict(503, flat('Using priority is disabled for this server. Please', 503))).toBe('caller');
});

test.each([
  ['too many images', 400, error('At most 3 image(s) may be provided in one prompt.', 'BadRequestError', 400)],
  ['a bad request', 400, error('temperature must be >= 0', 'BadRequestError', 400)],
  [
    'TGI validation',
    422,
    { error: 'Input validation error: `top_p` must be > 0.0 and < 1.0', error_type: 'validation' },
  ],
  [
    'TGI tools with a grammar',
    422,
    { error: 'Tool error: Grammar and tools are mutually exclusive', error_type: 'tool_error' },
  ],
  ['a body that is too large', 413, 'length limit exceeded'],
  ['a conflict', 409, ''],
  ['a media type', 415, 'Expected request with `Content-Type: application/json`'],
  ['a missing model name', 400, error('model name is missing from the request', 'invalid_request_error', 400)],
  ['something not found that is no model', 404, error('response resp_1 is gone')],
  [
    'JSON that llama.cpp could not parse',
    500,
    error('[json.exception.parse_error.101] parse error at line 1', 'server_error', 500),
  ],
  ['a status nobody knows', 418, ''],
])('%s is the fault of the caller', (_, status, body) => {
  expect(verdict(status, body)).toBe('caller');
});

test.each([
  [
    'vLLM',
    500,
    error('EngineCore encountered an issue. See stack trace (above) for the root cause.', 'InternalServerError', 500),
  ],
  ['SGLang', 500, flat('Internal server error: CUDA', 500, 'InternalServerError')],
  ['TGI', 424, { error: 'Request failed during generation: CUDA', error_type: 'generation' }],
  ['TGI, incomplete', 500, { error: 'Incomplete generation', error_type: 'incomplete_generation' }],
  ['Ollama', 500, error('model runner has unexpectedly stopped, this may be due to resource limitations', 'api_error')],
  ['Ollama, canceled', 499, error('request canceled')],
  ["llama.cpp's router", 500, error('proxy error: Could not establish connection', 'server_error', 500)],
  ['a proxy', 502, '<html>Bad Gateway</html>'],
  ['a slow proxy', 504, ''],
])('%s that fails is broken', (_, status, body) => {
  expect(verdict(status, body)).toBe('broken');
});
