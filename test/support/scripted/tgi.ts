// TGI on the wire: `error` as a string, 422 for nearly everything, every stream error inside a 200.
import { type Dialect, type FaultContext, firstModel, metrics, type Reply, sample, type World } from './dialect.ts';
import { top, usageNumbers } from './shapes.ts';

const version = '3.3.6-dev0';

export const tgi: Dialect = {
  name: 'tgi',
  style: {
    // The id is always empty.
    top: (turn, object) => ({ ...top(turn, object), id: '', system_fingerprint: `${version}-native` }),
    contentDelta: (content) => ({ role: 'assistant', content }),
    lastDelta: { role: 'assistant', content: '' },
    choiceExtras: { logprobs: null },
    lastExtras: {},
    chunkExtras: () => ({ usage: null }),
    usage: usageNumbers,
  },
  headers: { 'x-compute-type': 'cpu' },
  streamHeaders: { 'content-type': 'text/event-stream', 'cache-control': 'no-cache', 'x-accel-buffering': 'no' },
  jsonType: 'application/json',
  headAt: 'once',
  commentEveryMs: 15_000,
  doneAfterError: true,
  keepAliveMs: 0,
  advertisesKeepAlive: false,
  closesOnError: false,
  refusesWhileLoading: true,
  atCapacity: 'reject',
  checksModel: false,
  defaultCan: { embeddings: false },
  guards: (method) => method === 'POST',
  echo: (asked) => asked,
  faults: {
    busy: () => error(429, 'overloaded', 'Model is overloaded'),
    loading: () => ({ status: 503, body: { error: 'unhealthy', error_type: 'healthcheck' } }),
    // No such answer exists: an unknown name is taken for an adapter and served by the base model.
    'wrong-model': ({ model }) => error(422, 'validation', `Input validation error: adapter ${model} is not loaded`),
    overflow: (context) => error(422, 'validation', overflow(context)),
    'no-tools': () => error(422, 'template_error', 'Template error: tools are not supported by this chat template'),
    'no-vision': () => error(422, 'validation', 'Input validation error: the model does not support image inputs'),
    'no-embeddings': () => ({ status: 404 }),
    'no-completions': () => ({ status: 404 }),
    unauthorized: () => ({ status: 401 }),
    internal: () => error(424, 'generation', 'Request failed during generation: Server error: CUDA out of memory'),
    invalid: () => text(422, 'Failed to deserialize the JSON body into the target type: missing field `messages`'),
    'bad-json': () => text(400, 'Failed to parse the request body as JSON: expected value at line 1 column 1'),
  },
  inStream: new Set(['busy', 'overflow', 'no-tools', 'no-vision', 'internal', 'wrong-model']),
  // The status inside is hard-coded, whatever happened.
  errorEvent: (fault, context) => ({ error: { message: message(tgi.faults[fault](context)), http_status_code: 422 } }),
  route: ({ method, path, world }) => {
    if (method !== 'GET') return undefined;
    if (path === '/health' || path === '/ping' || path === '/') {
      return world.health === 'down'
        ? { status: 503, body: { error: 'unhealthy', error_type: 'healthcheck' } }
        : { status: 200 };
    }
    if (path === '/v1/models') {
      const { id } = firstModel(world);
      return { status: 200, body: { object: 'list', data: [{ id, object: 'model', created: 0, owned_by: id }] } };
    }
    if (path === '/info') return info(world);
    if (path === '/metrics') return gauges(world);
    return undefined;
  },
  notFound: () => ({ status: 404 }),
  wrongMethod: () => ({ status: 405 }),
};

function error(status: number, kind: string, text: string): Reply {
  return { status, body: { error: text, error_type: kind } };
}

function text(status: number, body: string): Reply {
  return { status, headers: { 'content-type': 'text/plain; charset=utf-8' }, body };
}

function message(reply: Reply): unknown {
  return typeof reply.body === 'object' && 'error' in reply.body ? reply.body.error : (reply.body ?? '');
}

function overflow({ contextTokens, promptTokens, maxTokens }: FaultContext): string {
  if (promptTokens >= contextTokens - 1) {
    return `Input validation error: \`inputs\` must have less than ${contextTokens - 1} tokens. Given: ${promptTokens}`;
  }
  return (
    `Input validation error: \`inputs\` tokens + \`max_new_tokens\` must be <= ${contextTokens}. ` +
    `Given: ${promptTokens} \`inputs\` tokens and ${maxTokens} \`max_new_tokens\``
  );
}

function info(world: World): Reply {
  const { id, contextTokens, can } = firstModel(world);
  const body = {
    model_id: id,
    model_sha: null,
    model_pipeline_tag: can.vision ? 'image-text-to-text' : 'text-generation',
    max_concurrent_requests: Number.isFinite(world.slots) ? world.slots : 128,
    max_input_tokens: contextTokens - 1,
    max_total_tokens: contextTokens,
    max_client_batch_size: 4,
    router: 'text-generation-router',
    version,
    sha: null,
    docker_label: null,
  };
  return { status: 200, body };
}

// Series do not exist until first used: absent means 0.
function gauges(world: World): Reply {
  return metrics(
    world.waiting > 0 ? sample('tgi_queue_size', world.waiting) : '',
    world.running > 0 ? sample('tgi_batch_current_size', world.running) : '',
  );
}
