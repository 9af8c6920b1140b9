// Ollama on the wire: many models loaded on demand, text 404s, errors inside a stream are lost.
import { created, type Dialect, type Json, type Reply, type ScriptedModel, type World } from './dialect.ts';
import { top, usageNumbers } from './shapes.ts';

const version = '0.33.0';

export const ollama: Dialect = {
  name: 'ollama',
  style: {
    // 999 ids in all: not unique.
    top: (turn, object) => ({ ...top(turn, object), id: `chatcmpl-${turn.n % 999}`, system_fingerprint: 'fp_ollama' }),
    contentDelta: (content) => ({ role: 'assistant', content }),
    lastDelta: {},
    choiceExtras: {},
    lastExtras: {},
    chunkExtras: (turn): Json =>
      turn.endpoint === 'completions' && turn.includeUsage ? { usage: usageNumbers(0, 0) } : {},
    usage: usageNumbers,
    wholeToolCalls: true,
  },
  headers: {},
  streamHeaders: { 'content-type': 'text/event-stream' },
  jsonType: 'application/json',
  headAt: 'first-token',
  doneAfterError: false,
  keepAliveMs: 0,
  advertisesKeepAlive: false,
  closesOnError: false,
  refusesWhileLoading: false,
  atCapacity: 'queue',
  checksModel: true,
  truncatesSilently: true,
  defaultCan: {},
  guards: () => false,
  echo: (asked) => asked,
  faults: {
    busy: () => error(503, 'api_error', 'server busy, please try again.  maximum pending requests exceeded'),
    loading: () => error(503, 'api_error', 'server busy, please try again.  maximum pending requests exceeded'),
    'wrong-model': ({ model }) => error(404, 'not_found_error', `model '${model}' not found`),
    overflow: () =>
      error(
        400,
        'invalid_request_error',
        'the prompt is longer than the context length currently available to the model; shorten the prompt, or raise the context length',
      ),
    'no-tools': ({ model }) => unable(model, 'tools'),
    'no-vision': ({ model }) => unable(model, 'images'),
    'no-embeddings': ({ model }) => unable(model, 'embeddings'),
    'no-completions': ({ model }) => error(400, 'invalid_request_error', `"${model}" does not support generate`),
    unauthorized: () => error(401, 'api_error', 'unauthorized'),
    internal: () =>
      error(
        500,
        'api_error',
        'model runner has unexpectedly stopped, this may be due to resource limitations or an internal error, check ollama server logs for details',
      ),
    invalid: () => error(400, 'invalid_request_error', "[] is too short - 'messages'"),
    'bad-json': () => error(400, 'invalid_request_error', "invalid character 'x' looking for beginning of value"),
  },
  inStream: new Set(),
  // The writer decodes the error as an empty answer: one chunk without content or model, then the end.
  errorEvent: () => ({
    id: 'chatcmpl-1',
    object: 'chat.completion.chunk',
    created,
    model: '',
    system_fingerprint: 'fp_ollama',
    choices: [{ index: 0, delta: { role: 'assistant', content: '' }, finish_reason: null }],
  }),
  route: ({ method, path, world }) => {
    if (method !== 'GET' && method !== 'HEAD') return undefined;
    if (world.health === 'down') return { status: 500, body: { error: 'internal server error' } };
    if (path === '/')
      return { status: 200, headers: { 'content-type': 'text/plain; charset=utf-8' }, body: 'Ollama is running' };
    if (path === '/api/version') return { status: 200, body: { version } };
    if (path === '/v1/models') return { status: 200, body: { object: 'list', data: list(world) } };
    if (path === '/api/tags') return { status: 200, body: { models: world.models.map(tag) } };
    if (path === '/api/ps')
      return { status: 200, body: { models: world.models.filter(({ loaded }) => loaded).map(resident) } };
    return undefined;
  },
  notFound: () => text(404, '404 page not found'),
  wrongMethod: () => text(405, '405 method not allowed'),
};

function error(status: number, type: string, message: string): Reply {
  return { status, body: { error: { message, type, param: null, code: null } } };
}

function unable(model: string, what: string): Reply {
  const name = model.includes(':') ? model : `${model}:latest`;
  return error(400, 'invalid_request_error', `registry.ollama.ai/library/${name} does not support ${what}`);
}

function text(status: number, body: string): Reply {
  return { status, headers: { 'content-type': 'text/plain' }, body };
}

// `null`, not an empty list, when nothing was downloaded.
function list(world: World): readonly Json[] | null {
  if (world.models.length === 0) return null;
  return world.models.map(({ id }) => ({ id, object: 'model', created, owned_by: 'library' }));
}

function tag({ id, can, contextTokens }: ScriptedModel): Json {
  const capabilities = [
    ...(can.chat || can.completions ? ['completion'] : []),
    ...(can.tools ? ['tools'] : []),
    ...(can.vision ? ['vision'] : []),
    ...(can.embeddings ? ['embedding'] : []),
  ];
  const details = {
    format: 'gguf',
    family: 'qwen3',
    parameter_size: '8.2B',
    quantization_level: 'Q4_K_M',
    context_length: contextTokens,
  };
  return {
    name: id,
    model: id,
    modified_at: '2026-08-01T00:00:00Z',
    size: 5_200_000_000,
    digest: 'd1',
    details,
    capabilities,
  };
}

function resident({ id, contextTokens }: ScriptedModel): Json {
  return {
    name: id,
    model: id,
    size: 5_200_000_000,
    digest: 'd1',
    expires_at: '2036-08-01T00:00:00Z',
    size_vram: 5_200_000_000,
    context_length: contextTokens,
  };
}
