// A server that speaks the OpenAI API as its reference describes it and has nothing of its own: no health route either.
import { created, type Dialect, firstModel, type Reply } from './dialect.ts';
import { top, usageNumbers } from './shapes.ts';

export const openai: Dialect = {
  name: 'openai',
  style: {
    top,
    roleDelta: { role: 'assistant', content: '', refusal: null },
    contentDelta: (content) => ({ content }),
    lastDelta: {},
    choiceExtras: { logprobs: null },
    lastExtras: {},
    usage: usageNumbers,
  },
  headers: {},
  streamHeaders: { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' },
  jsonType: 'application/json',
  headAt: 'first-token',
  doneAfterError: true,
  keepAliveMs: 60_000,
  advertisesKeepAlive: false,
  closesOnError: false,
  refusesWhileLoading: true,
  atCapacity: 'reject',
  checksModel: true,
  defaultCan: {},
  guards: () => true,
  echo: (asked) => asked,
  faults: {
    busy: () => ({
      ...error(429, 'requests', 'Rate limit reached', 'rate_limit_exceeded'),
      headers: { 'retry-after': '1' },
    }),
    loading: () => error(503, 'server_error', 'The engine is currently loading, please try again later'),
    'wrong-model': ({ model }) =>
      error(
        404,
        'invalid_request_error',
        `The model \`${model}\` does not exist or you do not have access to it.`,
        'model_not_found',
      ),
    overflow: ({ contextTokens, promptTokens }) =>
      error(
        400,
        'invalid_request_error',
        `This model's maximum context length is ${contextTokens} tokens. However, your messages resulted in ${promptTokens} tokens.`,
        'context_length_exceeded',
      ),
    'no-tools': ({ model }) => error(400, 'invalid_request_error', `${model} does not support tools`),
    'no-vision': ({ model }) => error(400, 'invalid_request_error', `${model} does not support image inputs`),
    'no-embeddings': () => notFound,
    'no-completions': () => notFound,
    unauthorized: () => error(401, 'invalid_request_error', 'Incorrect API key provided.', 'invalid_api_key'),
    internal: () => error(500, 'server_error', 'The server had an error while processing your request.'),
    invalid: () => error(400, 'invalid_request_error', "Missing required parameter: 'messages'."),
    'bad-json': () => error(400, 'invalid_request_error', 'We could not parse the JSON body of your request.'),
  },
  inStream: new Set(),
  errorEvent: (fault, context) => {
    const { body } = openai.faults[fault](context);
    return { error: typeof body === 'object' && 'error' in body ? body.error : {} };
  },
  route: ({ method, path, world }) => {
    if (method !== 'GET') return undefined;
    if (path === '/v1/models') {
      return { status: world.health === 'down' ? 503 : 200, body: { object: 'list', data: world.models.map(card) } };
    }
    if (path.startsWith('/v1/models/')) {
      const id = decodeURIComponent(path.slice('/v1/models/'.length));
      const model = world.models.find((entry) => entry.id === id);
      const context = { model: id, contextTokens: firstModel(world).contextTokens, promptTokens: 0, maxTokens: 0 };
      return model === undefined ? openai.faults['wrong-model'](context) : { status: 200, body: card(model) };
    }
    return undefined;
  },
  notFound: ({ method, path }) => error(404, 'invalid_request_error', `Invalid URL (${method} ${path})`),
  wrongMethod: ({ method, path }) => error(405, 'invalid_request_error', `Not allowed to ${method} on ${path}`),
};

const notFound = error(404, 'invalid_request_error', 'Invalid URL');

function error(status: number, type: string, message: string, code: string | null = null): Reply {
  return { status, body: { error: { message, type, param: null, code } } };
}

function card({ id }: { readonly id: string }): { readonly [key: string]: unknown } {
  return { id, object: 'model', created, owned_by: 'organization-owner' };
}
