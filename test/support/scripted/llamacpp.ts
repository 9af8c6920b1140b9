// llama-server on the wire: slots and deferral, a closed connection after each error, no [DONE] after one.
import {
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

const build = 'b10573-3f545bec';

export const llamacpp: Dialect = {
  name: 'llamacpp',
  style: {
    top: (turn, object) => ({ ...top(turn, object), system_fingerprint: build }),
    roleDelta: { role: 'assistant', content: null },
    contentDelta: (content) => ({ content }),
    lastDelta: {},
    choiceExtras: {},
    lastExtras: {},
    usage: (prompt, completion) => ({
      ...usageNumbers(prompt, completion),
      prompt_tokens_details: { cached_tokens: 0 },
    }),
    usageExtras: { timings: { cache_n: 0, prompt_n: 5, prompt_ms: 12.5, predicted_n: 2, predicted_per_second: 41.2 } },
  },
  headers: { server: 'llama.cpp' },
  streamHeaders: { 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' },
  jsonType: 'application/json; charset=utf-8',
  headAt: 'slot',
  commentEveryMs: 30_000,
  doneAfterError: false,
  keepAliveMs: 5_000,
  advertisesKeepAlive: true,
  requestsPerConnection: 100,
  closesOnError: true,
  refusesWhileLoading: false,
  atCapacity: 'queue',
  checksModel: false,
  defaultCan: { embeddings: false, vision: false },
  guards: (_method, path) => path !== '/health' && path !== '/v1/health',
  // Whatever was asked for, the answer carries the server's own alias.
  echo: (_asked, world) => firstModel(world).id,
  faults: {
    // It queues without bound; this is its only answer of that kind.
    busy: () => error(503, 'unavailable_error', 'no slot available'),
    loading: () => error(503, 'unavailable_error', 'Loading model'),
    'wrong-model': ({ model }) => error(400, 'invalid_request_error', `model '${model}' not found`),
    overflow: (context) => ({ status: 400, body: { error: overflow(context) } }),
    'no-tools': () => error(500, 'server_error', 'tools param requires --jinja flag'),
    'no-vision': () =>
      error(
        500,
        'server_error',
        'image input is not supported - hint: if this is unexpected, you may need to provide the mmproj',
      ),
    'no-embeddings': () =>
      error(501, 'not_supported_error', 'This server does not support embeddings. Start it with `--embeddings`'),
    'no-completions': () => error(501, 'not_supported_error', 'This server does not support completions.'),
    unauthorized: () => error(401, 'authentication_error', 'Invalid API Key'),
    internal: () => error(500, 'server_error', 'Compute error.'),
    invalid: () => error(400, 'invalid_request_error', "'messages' is required"),
    'bad-json': () =>
      error(500, 'server_error', '[json.exception.parse_error.101] parse error at line 1, column 1: syntax error'),
  },
  inStream: new Set(['internal']),
  errorEvent: (fault, context) => {
    const { body } = llamacpp.faults[fault](context);
    return { error: typeof body === 'object' && 'error' in body ? body.error : {} };
  },
  route: ({ method, path, query, world }) => {
    if (method !== 'GET') return undefined;
    const loading = world.health === 'loading';
    if (path === '/health' || path === '/v1/health') {
      if (loading || world.health === 'down') return llamacpp.faults.loading(none);
      return { status: 200, body: { status: 'ok' } };
    }
    if (loading) return llamacpp.faults.loading(none);
    if (path === '/v1/models' || path === '/models') return { status: 200, body: models(world) };
    if (path === '/props') return { status: 200, body: props(world) };
    if (path === '/slots') {
      const full = world.running >= slotCount(world);
      return full && query.has('fail_on_no_slot') ? llamacpp.faults.busy(none) : { status: 200, body: slots(world) };
    }
    if (path === '/metrics') return gauges(world);
    return undefined;
  },
  notFound: () => error(404, 'not_found_error', 'File Not Found'),
  wrongMethod: () => error(404, 'not_found_error', 'File Not Found'),
};

const none: FaultContext = { model: '', contextTokens: 0, promptTokens: 0, maxTokens: 0 };

function error(code: number, type: string, message: string): Reply {
  return { status: code, body: { error: { code, message, type } } };
}

function overflow({ contextTokens, promptTokens }: FaultContext): Json {
  return {
    code: 400,
    message: `request (${promptTokens} tokens) exceeds the available context size (${contextTokens} tokens), try increasing it`,
    type: 'exceed_context_size_error',
    n_prompt_tokens: promptTokens,
    n_ctx: contextTokens,
  };
}

function models(world: World): Json {
  const { id, contextTokens, can } = firstModel(world);
  const capabilities = can.vision ? ['completion', 'multimodal'] : ['completion'];
  const meta = {
    vocab_type: 2,
    n_vocab: 128_256,
    n_ctx: contextTokens,
    n_ctx_train: 131_072,
    n_embd: 4096,
    size: 4_912_898_304,
  };
  const card = {
    id,
    aliases: [id],
    tags: [],
    object: 'model',
    created: Math.floor(Date.now() / 1000),
    owned_by: 'llamacpp',
    meta,
  };
  return { models: [{ name: id, model: id, capabilities }], object: 'list', data: [card] };
}

function slotCount(world: World): number {
  return Number.isFinite(world.slots) ? world.slots : 4;
}

function props(world: World): Json {
  const { id, contextTokens, can } = firstModel(world);
  return {
    default_generation_settings: { params: {}, n_ctx: contextTokens },
    total_slots: slotCount(world),
    model_alias: id,
    model_path: `/models/${id}.gguf`,
    modalities: { vision: can.vision, video: false, audio: false },
    chat_template: '',
    chat_template_caps: { supports_tools: can.tools },
    endpoint_slots: true,
    endpoint_props: false,
    endpoint_metrics: true,
    build_info: build,
    is_sleeping: world.health === 'asleep',
  };
}

function slots(world: World): readonly Json[] {
  const { contextTokens } = firstModel(world);
  return Array.from({ length: slotCount(world) }, (_, id) => ({
    id,
    n_ctx: contextTokens,
    speculative: false,
    is_processing: id < world.running,
  }));
}

function gauges(world: World): Reply {
  return metrics(
    sample('llamacpp:requests_processing', world.running),
    sample('llamacpp:requests_deferred', world.waiting),
    sample('llamacpp:tokens_predicted_total', world.tokensOut),
    // An average since the previous scrape, which resets it; zero is what a second scraper sees.
    sample('llamacpp:predicted_tokens_seconds', 0),
  );
}
