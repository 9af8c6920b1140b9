// SGLang on the wire: any model name is served and echoed, flat error bodies, errors inside a 200.
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

export const sglang: Dialect = {
  name: 'sglang',
  style: {
    top,
    roleDelta: { reasoning_content: null, role: 'assistant', content: '' },
    contentDelta: (content) => ({ reasoning_content: null, content }),
    lastDelta: { reasoning_content: null },
    choiceExtras: { logprobs: null, matched_stop: null },
    lastExtras: { matched_stop: 151645 },
    usage: (prompt, completion) => ({
      ...usageNumbers(prompt, completion),
      prompt_tokens_details: null,
      reasoning_tokens: 0,
    }),
  },
  headers: { server: 'uvicorn' },
  streamHeaders: { 'content-type': 'text/event-stream; charset=utf-8' },
  jsonType: 'application/json',
  headAt: 'first-token',
  doneAfterError: true,
  keepAliveMs: 5_000,
  advertisesKeepAlive: false,
  closesOnError: false,
  // Refused only while the weights load; until warm-up ends the server answers, and that part is imitated.
  refusesWhileLoading: false,
  atCapacity: 'queue',
  checksModel: false,
  defaultCan: { embeddings: false },
  guards: (_method, path) => !path.startsWith('/health') && !path.startsWith('/metrics'),
  echo: (asked) => asked,
  faults: {
    busy: () => flat(503, 'SERVICE_UNAVAILABLE', 'The request queue is full.'),
    loading: () => ({ status: 503 }),
    'wrong-model': ({ model }) =>
      flat(
        400,
        'BadRequestError',
        `LoRA adapter '${model}' was requested, but LoRA is not enabled. Start it with --enable-lora.`,
      ),
    overflow: (context) => flat(400, 'BadRequestError', overflow(context)),
    'no-tools': () => flat(400, 'BadRequestError', 'The model does not support tools'),
    'no-vision': () => flat(400, 'BadRequestError', 'The model does not support image inputs'),
    'no-embeddings': () =>
      flat(
        400,
        'BadRequestError',
        'This model does not appear to be an embedding model by default. Please add `--is-embedding` when launching the server.',
      ),
    'no-completions': () => flat(400, 'BadRequestError', 'The model does not support completions'),
    unauthorized: () => ({ status: 401, body: { error: 'Unauthorized' } }),
    internal: () => flat(500, 'InternalServerError', 'Internal server error: scheduler died'),
    invalid: () =>
      flat(400, 'Bad Request', "[{'type': 'missing', 'loc': ('body', 'messages'), 'msg': 'Field required'}]"),
    'bad-json': () =>
      flat(400, 'Bad Request', "[{'type': 'json_invalid', 'loc': ('body', 1), 'msg': 'JSON decode error'}]"),
  },
  // Scheduler aborts are not raised in streams.
  inStream: new Set(['busy', 'internal']),
  errorEvent: (fault, context) => ({ error: sglang.faults[fault](context).body ?? {} }),
  route: ({ method, path, world }) => {
    if (method !== 'GET') return undefined;
    if (path === '/health' || path === '/health_generate') {
      return { status: world.health === 'up' || world.health === 'asleep' ? 200 : 503 };
    }
    if (path === '/ping') return { status: 200 };
    if (path === '/v1/models') return { status: 200, body: { object: 'list', data: world.models.map(card) } };
    if (path.startsWith('/v1/models/')) return one(world, decodeURIComponent(path.slice('/v1/models/'.length)));
    if (path === '/model_info' || path === '/get_model_info') return { status: 200, body: info(world) };
    if (path === '/server_info' || path === '/get_server_info') {
      return {
        status: 200,
        body: { ...info(world), version: '0.5.1', tool_call_parser: null, max_total_num_tokens: 400_000 },
      };
    }
    if (path === '/v1/loads') return { status: 200, body: loads(world) };
    if (path === '/metrics') return gauges(world);
    if (path === '/api/tags')
      return { status: 200, body: { models: world.models.map(({ id }) => ({ name: id, model: id })) } };
    return undefined;
  },
  notFound: () => ({ status: 404, body: { detail: 'Not Found' } }),
  wrongMethod: () => ({ status: 405, body: { detail: 'Method Not Allowed' } }),
};

function flat(status: number, type: string, message: string): Reply {
  return { status, body: { object: 'error', message, type, param: null, code: status } };
}

function overflow({ contextTokens, promptTokens, maxTokens }: FaultContext): string {
  if (promptTokens >= contextTokens) {
    return `The input (${promptTokens} tokens) is longer than the model's context length (${contextTokens} tokens).`;
  }
  return (
    `Requested token count exceeds the model's maximum context length of ${contextTokens} tokens. You requested a total of ` +
    `${promptTokens + maxTokens} tokens: ${promptTokens} tokens from the input messages and ${maxTokens} tokens for the completion.`
  );
}

function card({ id, parent, contextTokens }: World['models'][number]): Json {
  const base = { id, object: 'model', created, owned_by: 'sglang' };
  return parent === undefined
    ? { ...base, root: id, parent: null, max_model_len: contextTokens }
    : { ...base, root: `/adapters/${id}`, parent, max_model_len: null };
}

function one(world: World, id: string): Reply {
  const model = world.models.find((entry) => entry.id === id && entry.parent === undefined);
  if (model !== undefined) return { status: 200, body: card(model) };
  const error = {
    message: `The model '${id}' does not exist`,
    type: 'invalid_request_error',
    param: 'model',
    code: 'model_not_found',
  };
  return { status: 404, body: { error } };
}

function info(world: World): Json {
  const { id, can } = firstModel(world);
  return {
    model_path: id,
    tokenizer_path: id,
    is_generation: can.chat || can.completions,
    has_image_understanding: can.vision,
    has_audio_understanding: false,
    model_type: 'qwen3',
    weight_version: 'default',
  };
}

function loads(world: World): Json {
  const limit = Number.isFinite(world.slots) ? world.slots : 256;
  const entry = {
    timestamp: 1,
    dp_rank: 0,
    num_running_reqs: world.running,
    num_waiting_reqs: world.waiting,
    max_total_num_tokens: 400_000,
    max_running_requests: limit,
    token_usage: world.kvUsage,
    utilization: world.running / limit,
  };
  return { timestamp: '2026-07-24T00:00:00+00:00', version: '0.5.1', loads: [entry] };
}

function gauges(world: World): Reply {
  const labels = {
    engine_type: 'unified',
    model_name: firstModel(world).id,
    moe_ep_rank: '0',
    pp_rank: '0',
    tp_rank: '0',
  };
  return metrics(
    sample('sglang:num_running_reqs', world.running, labels),
    sample('sglang:num_queue_reqs', world.waiting, labels),
    sample('sglang:token_usage', world.kvUsage, labels),
  );
}
