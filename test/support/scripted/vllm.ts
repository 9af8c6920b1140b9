// vLLM on the wire: strict about model names, headers before queueing, unbounded queue, sleep mode.
import {
  created,
  type Dialect,
  type FaultContext,
  firstModel,
  type Json,
  metrics,
  type Reply,
  sample,
  type World,
} from './dialect.ts';
import { top, usageNumbers } from './shapes.ts';

const version = '0.10.1';

export const vllm: Dialect = {
  name: 'vllm',
  style: {
    // A caller's X-Request-Id becomes part of the id.
    top,
    roleDelta: { role: 'assistant', content: '' },
    contentDelta: (content) => ({ content }),
    lastDelta: { content: '' },
    choiceExtras: { logprobs: null },
    lastExtras: { stop_reason: null },
    usage: usageNumbers,
  },
  headers: { server: 'uvicorn' },
  streamHeaders: { 'content-type': 'text/event-stream; charset=utf-8' },
  jsonType: 'application/json',
  headAt: 'once',
  doneAfterError: true,
  keepAliveMs: 5_000,
  advertisesKeepAlive: false,
  closesOnError: false,
  refusesWhileLoading: true,
  atCapacity: 'queue',
  checksModel: true,
  defaultCan: { embeddings: false },
  guards: (_method, path) => /^\/(v1|v2|inference|cohere)(\/|$)/.test(path),
  echo: (asked, world) => {
    const lora = world.models.find((model) => model.id === asked && model.parent !== undefined);
    return lora?.id ?? firstModel(world).id;
  },
  faults: {
    busy: () => error(503, 'ServiceUnavailableError', 'The server is overloaded: too many queued requests.'),
    loading: () => ({ status: 503, body: { error: 'The model is currently scaling. Please try again later.' } }),
    'wrong-model': ({ model }) => error(404, 'NotFoundError', `The model \`${model}\` does not exist.`, 'model'),
    overflow: (context) => error(400, 'BadRequestError', overflow(context), 'input_tokens'),
    'no-tools': () =>
      error(
        400,
        'BadRequestError',
        '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set',
      ),
    'no-vision': () =>
      error(
        400,
        'BadRequestError',
        'At most 0 image(s) may be provided in one prompt. Set `--limit-mm-per-prompt` to increase this limit.',
      ),
    'no-embeddings': () => detail(404, 'Not Found'),
    'no-completions': () => error(501, 'NotImplementedError', 'The model does not support Completions API'),
    unauthorized: () => ({ status: 401, body: { error: 'Unauthorized' } }),
    internal: () => error(500, 'InternalServerError', engineDead),
    invalid: () => error(400, 'Bad Request', "1 validation error:\n  {'type': 'missing', 'loc': ('body', 'messages')}"),
    'bad-json': () => error(400, 'Bad Request', "1 validation error:\n  {'type': 'json_invalid', 'loc': ('body', 1)}"),
  },
  // Validation precedes the headers; what fails later is an event.
  inStream: new Set(['internal']),
  errorEvent: (fault, context) => {
    const reply = vllm.faults[fault](context);
    const body = typeof reply.body === 'object' && 'error' in reply.body ? reply.body.error : undefined;
    return {
      error: typeof body === 'object' ? body : { message: body, type: 'InternalServerError', param: null, code: 500 },
    };
  },
  route: ({ method, path, world }) => {
    if ((method === 'GET' || method === 'POST') && path === '/ping') return health(world);
    if (method !== 'GET') return undefined;
    if (path === '/health') return health(world);
    if (path === '/version') return { status: 200, body: { version } };
    if (path === '/v1/models') return { status: 200, body: { object: 'list', data: models(world) } };
    if (path === '/load') return { status: 200, body: { server_load: 0 } };
    if (path === '/openapi.json') return { status: 200, body: openapi(world) };
    if (path === '/metrics') return gauges(world);
    return undefined;
  },
  notFound: () => detail(404, 'Not Found'),
  wrongMethod: () => detail(405, 'Method Not Allowed'),
};

const engineDead = 'EngineCore encountered an issue. See stack trace (above) for the root cause.';

function error(status: number, type: string, message: string, param: string | null = null): Reply {
  return { status, body: { error: { message, type, param, code: status } } };
}

function detail(status: number, text: string): Reply {
  return { status, body: { detail: text } };
}

function overflow({ contextTokens, promptTokens, maxTokens }: FaultContext): string {
  return (
    `This model's maximum context length is ${contextTokens} tokens. However, you requested ${maxTokens} output tokens and ` +
    `your prompt contains ${promptTokens} input tokens, for a total of ${promptTokens + maxTokens} tokens. Please reduce the ` +
    `length of the input prompt or the number of requested output tokens. (parameter=input_tokens, value=${promptTokens})`
  );
}

// Sleeping keeps `/health` at 200; the sleep state is in the metrics only.
function health(world: World): Reply {
  return { status: world.health === 'down' ? 503 : 200 };
}

function models(world: World): readonly Json[] {
  const base = firstModel(world).id;
  return world.models.map((model, index) => ({
    id: model.id,
    object: 'model',
    created: Math.floor(Date.now() / 1000),
    owned_by: 'vllm',
    root: model.parent === undefined ? base : `/adapters/${model.id}`,
    parent: model.parent ?? null,
    max_model_len: model.parent === undefined ? model.contextTokens : null,
    permission: [{ id: `modelperm-${index}-${Date.now()}`, object: 'model_permission', created, organization: '*' }],
  }));
}

function openapi(world: World): Json {
  const { can } = firstModel(world);
  const routes = [
    ...(can.chat ? ['/v1/chat/completions'] : []),
    ...(can.completions ? ['/v1/completions'] : []),
    ...(can.embeddings ? ['/v1/embeddings'] : []),
    '/health',
    '/v1/models',
  ];
  return {
    openapi: '3.1.0',
    info: { title: 'FastAPI', version: '0.1.0' },
    paths: Object.fromEntries(routes.map((path) => [path, {}])),
  };
}

function gauges(world: World): Reply {
  const labels = { engine: '0', model_name: firstModel(world).id };
  const asleep = world.health === 'asleep';
  return metrics(
    '# TYPE vllm:num_requests_running gauge\n',
    sample('vllm:num_requests_running', world.running, labels),
    '# TYPE vllm:num_requests_waiting gauge\n',
    sample('vllm:num_requests_waiting', world.waiting, labels),
    '# TYPE vllm:kv_cache_usage_perc gauge\n',
    sample('vllm:kv_cache_usage_perc', world.kvUsage, labels),
    '# TYPE vllm:generation_tokens_total counter\n',
    sample('vllm:generation_tokens_total', world.tokensOut, labels),
    '# TYPE vllm:engine_sleep_state gauge\n',
    sample('vllm:engine_sleep_state', asleep ? 0 : 1, { ...labels, sleep_state: 'awake' }),
    sample('vllm:engine_sleep_state', asleep ? 1 : 0, { ...labels, sleep_state: 'weights_offloaded' }),
    sample('vllm:engine_sleep_state', 0, { ...labels, sleep_state: 'discard_all' }),
  );
}
