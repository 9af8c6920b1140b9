// What each field of fleet.yaml is for, in the words that editors show: read by json-schema.ts. A name is the end of a field's
// path, without its lists and the names people choose; the longest that fits wins.
import { fieldWordsOfLimits } from './field-words-limits.ts';
import { fieldWordsOfNetworks } from './field-words-networks.ts';

export interface FieldWords {
  readonly says: string;
  /** As one would write it; leaving the field out means the same. */
  readonly default?: unknown;
  readonly examples?: readonly unknown[];
}

const probe: Readonly<Record<string, FieldWords>> = {
  probe: { says: 'How a backend is asked whether it is well.' },
  'probe.interval': {
    says: 'How often. Left out: what suits the engine, 5s for most and 20s for SGLang.',
    examples: ['5s'],
  },
  'probe.timeout': { says: 'How long an answer may take. Left out: what suits the engine.', examples: ['2s'] },
  'probe.up_after': { says: 'So many good probes in a row until a backend that was down is up again.', default: 2 },
  'probe.down_after': { says: 'So many bad probes in a row until a backend is down.', default: 3 },
};

const timeouts: Readonly<Record<string, FieldWords>> = {
  timeouts: { says: 'How long each part of a request may take.' },
  'timeouts.connect': { says: 'Until a connection to the backend stands.', default: '2s' },
  'timeouts.first_byte': { says: 'Streams: until the first token.', default: '120s' },
  'timeouts.first_byte_plain': { says: 'Requests that do not stream: until the answer begins.', default: '600s' },
  'timeouts.gap': { says: 'Between two events of a stream.', default: '60s' },
  'timeouts.total': { says: 'Everything, all attempts included.', default: '3600s' },
};

const circuit: Readonly<Record<string, FieldWords>> = {
  circuit: { says: 'When to stop sending to a backend that fails, and for how long.' },
  'circuit.consecutive': { says: 'After so many failures in a row.', default: 5 },
  'circuit.window': {
    says: 'Or when, within this time, failure_ratio of at least min_requests failed.',
    default: '30s',
  },
  'circuit.min_requests': { says: 'Fewer requests than this within the window tell nothing.', default: 20 },
  'circuit.failure_ratio': { says: 'This part of the requests within the window failed.', default: 0.5 },
  'circuit.open_for': { says: 'The first pause; then it is tried again.', default: '5s' },
  'circuit.growth': { says: 'Each further pause is longer by this factor.', default: 2 },
  'circuit.open_max': { says: 'The longest pause.', default: '300s' },
};

const server: Readonly<Record<string, FieldWords>> = {
  version: { says: 'Version of this file format; 1 is the only one there is.', examples: [1] },
  server: { says: 'The side that callers see.' },
  'server.listen': {
    says: 'The address that callers use. 0.0.0.0:8000 for others to reach it. SWITCHYARD_LISTEN and --listen win.',
    default: '127.0.0.1:8000',
    examples: ['127.0.0.1:8000', '0.0.0.0:8000', '[::1]:8000'],
  },
  'server.workers': {
    says: 'Threads that serve callers on the one port; auto: one for each core.',
    default: 1,
    examples: [1, 2, 'auto'],
  },
  'server.metrics': { says: 'Whether /metrics answers on this address too.', default: true },
  'server.max_body': { says: 'The largest request. Images in chat requests make them large.', default: '32MiB' },
  'server.drain_delay': { says: 'After SIGTERM: time for load balancers to notice.', default: '5s' },
  'server.drain_timeout': { says: 'After SIGTERM: running streams may finish, at most this long.', default: '300s' },
  'server.forward_headers': {
    says: 'Request headers that are passed to backends beside the built-in ones.',
    default: [],
    examples: [['x-session-id']],
  },
  'server.rate_limit_headers': { says: 'In which words answers tell what is left of the limits.', default: 'openai' },
  'server.overload': {
    says: 'Beyond these, new requests get 503 before their body is read, and those that run live. Each may be off.',
  },
  'overload.event_loop_delay': { says: 'How late timers of the router run.', default: '1s' },
  'overload.heap': { says: 'Of what its heap may grow to (node --max-old-space-size).', default: 0.9 },
  'overload.open_files': { says: 'Of the file descriptors it may have; a stream takes two.', default: 0.9 },
  'overload.buffered': {
    says: 'Request bodies that are held, and answers that wait for slow callers; at least max_body.',
    default: '1GiB',
  },
  admin: { says: 'What the router tells about itself and can be told to do, on a port of its own.' },
  'admin.listen': {
    says: 'Its address, or off. SWITCHYARD_ADMIN_LISTEN and --admin-listen win.',
    default: '127.0.0.1:9091',
    examples: ['127.0.0.1:9091', 'off'],
  },
  'admin.allowed_hosts': {
    says: 'Names it may be asked under, beside IP addresses: against DNS rebinding.',
    default: ['localhost'],
  },
  'admin.token': {
    says: 'For every POST (reload, drain); without one they are refused.',
    examples: ['${ADMIN_TOKEN}'],
  },
  'admin.token_file': { says: 'The token in a file of its own.', examples: ['/run/secrets/admin.token'] },
  tracing: { says: 'Spans of every request, to an OpenTelemetry collector; never prompts or answers.' },
  'tracing.otlp': {
    says: 'Where the collector takes OTLP over HTTP. Empty is the same as left out: no traces.',
    examples: ['${OTEL_EXPORTER_OTLP_ENDPOINT:-}', 'http://localhost:4318'],
  },
  'tracing.sample': {
    says: 'The share of the requests that are followed, where the caller does not say (traceparent).',
    default: 1,
  },
  metrics: { says: 'What is told apart in /metrics. A change needs a restart.' },
  'metrics.tenants': { says: 'false: all tenants as one, `all`.', default: true },
  'metrics.genai_names': { says: "true: also the gen_ai_* names of OpenTelemetry's conventions.", default: false },
  'metrics.max_models': { says: 'Models with series of their own; those beyond are `other`.', default: 200 },
  logging: { says: 'What is logged, and how.' },
  'logging.level': { says: 'SWITCHYARD_LOG_LEVEL and --log-level win.', default: 'info' },
  'logging.format': { says: 'auto: pretty on a terminal, JSON otherwise.', default: 'auto' },
  'logging.access': { says: 'Which finished requests get a line.', default: 'all' },
};

const backends: Readonly<Record<string, FieldWords>> = {
  defaults: { says: "Merged into every backend, field by field; a backend's own fields win." },
  max_in_flight: {
    says: 'Requests at once per backend, or auto: learnt. Left out: what the engine says it runs at once, or no bound.',
    examples: [64, 'auto'],
  },
  stall_after: {
    says: 'Requests in flight and nothing has come from it for so long: avoided until something does. 0s: never.',
    default: '30s',
  },
  usage: { says: 'force: ask for token counts in every stream.', default: 'auto' },
  backends: { says: 'The inference servers, each with one URL.' },
  'backends.name': {
    says: 'Unique and stable: the label in metrics. Left out: host and port of the URL.',
    examples: ['gpu-a'],
  },
  'backends.engine': { says: 'What runs there. auto: found out.', default: 'auto' },
  'backends.url': {
    says: 'Where it is; never with a password in it. A /v1 at its end is taken away. Not for engine simulated.',
    examples: ['http://10.0.0.11:8000'],
  },
  'backends.weight': { says: 'Capacity, relative to the others.', default: 1 },
  'backends.state': {
    says: 'draining: finishes what runs and gets nothing new. disabled: as if it were not there.',
    default: 'enabled',
  },
  'backends.models': {
    says: 'Public names of the models it serves. Left out: it is asked.',
    examples: [['llama-3.3-70b']],
  },
  'backends.auth': { says: 'What is sent to the backend as Authorization: Bearer.' },
  'backends.auth.bearer': {
    says: 'The token; from the environment, so that it is not in this file.',
    examples: ['${GPU_A_TOKEN}'],
  },
  'backends.auth.bearer_file': { says: 'The token in a file of its own.', examples: ['/run/secrets/gpu-a.token'] },
  'backends.context': {
    says: 'Tokens that fit into a request and its answer. Left out: it is asked.',
    examples: [32768],
  },
  'backends.simulate': { says: 'What a simulated backend plays; for engine simulated only.' },
  'simulate.models': { says: 'Names of its models.', default: ['simulated-model'] },
  'simulate.first_token': { says: 'Time to the first token.', default: '200ms' },
  'simulate.tokens_per_second': { says: 'Speed from then on.', default: 30 },
  capabilities: { says: 'What is known that it can or can not do. Left out: found out.' },
  'capabilities.chat-completions': { says: 'Answers /v1/chat/completions.' },
  'capabilities.completions': { says: 'Answers /v1/completions.' },
  'capabilities.embeddings': { says: 'Answers /v1/embeddings.' },
  'capabilities.tools': { says: 'Calls tools.' },
  'capabilities.vision': { says: 'Takes images.' },
  'capabilities.audio': { says: 'Takes or gives audio.' },
  'capabilities.json_schema': { says: 'Keeps to a JSON schema (response_format).' },
};

const models: Readonly<Record<string, FieldWords>> = {
  models: { says: 'By public name. Only for models about which there is something to say: this restricts nothing.' },
  'models.aliases': { says: 'Other names callers may use for it.', examples: [['gpt-4o', 'default']] },
  'models.backend_names': {
    says: 'By backend: the name it knows the model under, where that is another one.',
    examples: [{ 'gpu-a': 'meta-llama/Llama-3.3-70B-Instruct' }],
  },
  'models.context': { says: 'Tokens that fit into a request and its answer, on every backend.', examples: [131072] },
  'models.fallback': {
    says: 'Models that answer in its place, in this order; a list for both cases, or one for each.',
    examples: [['qwen3-32b']],
  },
  'fallback.no_backend': { says: 'When nobody who has the model is up.' },
  'fallback.overloaded': { says: 'When everybody who has the model is full, before anyone waits.' },
  'models.continuation': { says: 'Whether another backend may go on with a stream that breaks.', default: false },
  routing: { says: 'How a backend is chosen.' },
  'routing.policy': { says: 'In which order the backends of a model are tried.', default: 'least-connections' },
  'routing.panic': {
    says: "More than this share of a model's backends down or ejected: all are tried. 1: never.",
    default: 0.5,
  },
  'routing.slow_start': {
    says: 'A backend that comes back gets a tenth of its share at first, all of it after this long. 0s: at once.',
    default: '30s',
  },
  'routing.least_cost': { says: 'Options of the policy least-cost.' },
  'least_cost.prefix': {
    says: 'Whether it is remembered which backend has seen which prompt, so that what is cached there is used.',
    default: true,
  },
  'least_cost.index_entries': {
    says: 'Most that is remembered: 32 bytes for each 256 tokens; rounded down to a power of two.',
    default: 1_048_576,
  },
  'least_cost.ttft_objective': { says: 'A first token that is expected later than this counts more.', default: '5s' },
  'least_cost.full_scan': {
    says: 'Up to so many backends are all compared, with one router; of more, those there is a reason for and eight others.',
    default: 64,
  },
  'routing.retries': { says: 'How often a request may be tried again on another backend.' },
  'retries.budget_ratio': {
    says: 'How many may be on a second try, as a part of those on their first. Three always may, with 1 all.',
    default: 0.2,
  },
  queue: { says: 'Requests that find every backend of their model full wait for a slot.' },
  'queue.max_length': { says: 'For each model at most so many; 0: nobody waits.', default: 100 },
  'queue.max_wait': { says: 'At most this long.', default: '30s' },
  'queue.comments': {
    says: 'Streams that wait are told so in comment lines; their head leaves at once.',
    default: false,
  },
};

export const fieldWords: Readonly<Record<string, FieldWords>> = {
  ...server,
  ...backends,
  ...probe,
  ...timeouts,
  ...circuit,
  ...models,
  ...fieldWordsOfLimits,
  ...fieldWordsOfNetworks,
};
