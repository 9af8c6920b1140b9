// LocalAI on the wire: many models, capabilities it tells itself, load and capacity errors inside a 200.
import { type Dialect, type FaultContext, type Json, type Reply, type ScriptedModel, type World } from './dialect.ts';
import { top, usageNumbers } from './shapes.ts';

const open = new Set(['/healthz', '/readyz', '/.well-known/localai.json']);

export const localai: Dialect = {
  name: 'localai',
  style: {
    top,
    roleDelta: { role: 'assistant', content: '' },
    contentDelta: (content) => ({ content }),
    lastDelta: {},
    choiceExtras: {},
    lastExtras: {},
    usage: usageNumbers,
  },
  headers: {},
  streamHeaders: { 'content-type': 'text/event-stream', 'cache-control': 'no-cache', connection: 'keep-alive' },
  jsonType: 'application/json',
  headAt: 'first-token',
  doneAfterError: true,
  keepAliveMs: 120_000,
  advertisesKeepAlive: false,
  closesOnError: false,
  refusesWhileLoading: false,
  atCapacity: 'reject',
  checksModel: true,
  defaultCan: {},
  guards: (_method, path) => !open.has(path),
  echo: (asked) => asked,
  faults: {
    busy: () => ({
      status: 503,
      headers: { 'retry-after': '1' },
      body: wrap(503, '', 'backend inference capacity reached (max_concurrent=1024); retry after 1s'),
    }),
    loading: ({ model }) => ({
      status: 503,
      headers: { 'retry-after': '5' },
      body: { ...wrap('model_loading', 'model_loading', `model "${model}" is loading`), loading: { progress: 40 } },
    }),
    'wrong-model': ({ model }) =>
      error(404, `model "${model}" not found. To see available models, call GET /v1/models`),
    overflow: (context) => error(500, overflow(context)),
    'no-tools': () => error(500, 'rpc error: code = Unimplemented desc = the backend does not support tools'),
    'no-vision': () => error(500, 'rpc error: code = Unimplemented desc = the model does not support images'),
    'no-embeddings': () => error(500, 'rpc error: code = Unimplemented desc = the model does not support embeddings'),
    'no-completions': () => error(500, 'rpc error: code = Unimplemented desc = the model does not support completions'),
    unauthorized: () => ({
      status: 401,
      headers: { 'www-authenticate': 'Bearer' },
      body: wrap(401, 'invalid_request_error', 'An authentication key is required'),
    }),
    internal: () => error(500, 'rpc error: code = Unavailable desc = error reading from server: EOF'),
    invalid: () => error(400, 'failed parsing request body: missing messages'),
    'bad-json': () => error(400, 'failed parsing request body: unexpected end of JSON input'),
  },
  // Headers are streamed before the model loads, so whatever fails after routing is an event.
  inStream: new Set(['busy', 'loading', 'overflow', 'no-tools', 'no-vision', 'internal']),
  errorEvent: (fault, context) => {
    const { body } = localai.faults[fault](context);
    const inner = typeof body === 'object' && 'error' in body ? body.error : undefined;
    const message = typeof inner === 'object' && inner !== null && 'message' in inner ? inner.message : '';
    return { error: { code: 'server_error', message, type: 'server_error' } };
  },
  route: ({ method, path, world }) => {
    if (method !== 'GET') return undefined;
    if (path === '/healthz') return { status: 200 };
    if (path === '/readyz') return ready(world);
    if (path === '/.well-known/localai.json') return { status: 200, body: { name: 'LocalAI', version: 'v4.9.0' } };
    if (path === '/version') return { status: 200, body: { version: 'v4.9.0 (82c191af)' } };
    if (path === '/v1/models' || path === '/models') {
      return { status: 200, body: { object: 'list', data: world.models.map(({ id }) => ({ id, object: 'model' })) } };
    }
    if (path === '/v1/models/capabilities')
      return { status: 200, body: { object: 'list', data: world.models.map(capable) } };
    if (path === '/system') return { status: 200, body: { backends: ['llama-cpp'], loaded_models: loaded(world) } };
    if (path === '/api/version') return { status: 200, body: { version: '0.33.0' } };
    if (path === '/api/tags')
      return { status: 200, body: { models: world.models.map(({ id }) => ({ name: id, model: id })) } };
    if (path === '/api/ps')
      return { status: 200, body: { models: loaded(world).map(({ id }) => ({ name: id, model: id })) } };
    if (path === '/metrics') return { status: 200, headers: { 'content-type': 'text/plain' }, body: '' };
    return undefined;
  },
  // A browser gets the web page instead.
  notFound: ({ accept }) =>
    accept.includes('text/html')
      ? {
          status: 200,
          headers: { 'content-type': 'text/html; charset=utf-8' },
          body: '<!doctype html><title>LocalAI</title>',
        }
      : error(404, 'Resource not found'),
  wrongMethod: () => error(405, 'Method Not Allowed'),
};

function wrap(code: number | string, type: string, message: string): Json {
  return { error: { code, message, type } };
}

function error(status: number, message: string): Reply {
  return { status, body: wrap(status, '', message) };
}

// The text of the llama.cpp back end inside (the raw back-end error).
function overflow({ contextTokens, promptTokens }: FaultContext): string {
  return `rpc error: code = InvalidArgument desc = request (${promptTokens} tokens) exceeds the available context size (${contextTokens} tokens)`;
}

function ready(world: World): Reply {
  if (world.health === 'loading')
    return { status: 503, body: { status: 'starting', reason: 'startup preload in progress' } };
  return { status: world.health === 'down' ? 503 : 200 };
}

function loaded(world: World): readonly { readonly id: string; readonly backend: string }[] {
  return world.models.filter((model) => model.loaded).map(({ id }) => ({ id, backend: 'llama-cpp' }));
}

function capable({ id, can }: ScriptedModel): Json {
  const capabilities = [
    ...(can.chat ? ['chat'] : []),
    ...(can.completions ? ['completion'] : []),
    ...(can.vision ? ['vision'] : []),
    ...(can.embeddings ? ['embeddings'] : []),
    ...(can.tools ? ['tools'] : []),
  ];
  const input = can.vision ? ['text', 'image'] : ['text'];
  return { id, object: 'model', capabilities, input_modalities: input, output_modalities: ['text'] };
}
