// The words of field-words.ts for who may use how much: keys, tenants, limits, and where replicas count them together.
import type { FieldWords } from './field-words.ts';

const auth: Readonly<Record<string, FieldWords>> = {
  auth: { says: 'Who may use the router, and how much.' },
  'auth.mode': { says: 'Left out: keys when there are any, otherwise none.', examples: ['keys'] },
  'auth.max_reserved_output_tokens': {
    says: 'At most so many tokens are held of an allowance until the answer shows how many it took.',
    default: 4096,
  },
  'auth.keys': { says: 'Keys of callers. More, of the tenant "default", come from the environment: API_KEYS.' },
  'keys.tenant': { says: 'Whose key it is: the name in metrics and logs.', examples: ['search-team'] },
  'keys.key': {
    says: 'The key; from the environment, so that it is not in this file.',
    examples: ['${SEARCH_TEAM_KEY}'],
  },
  'keys.key_file': {
    says: 'The key in a file of its own, mode 0640 or narrower.',
    examples: ['/run/secrets/search-team.key'],
  },
  'keys.key_sha256': { says: 'SHA-256 of the key in hex: printf %s "$KEY" | sha256sum.' },
  'keys.models': { says: 'Globs of the models it may use. Left out: all.', examples: [['llama-3.3-70b', 'bge-*']] },
  'keys.expires': {
    says: 'The last day, UTC, or a moment.',
    examples: ['2099-12-31', '2099-12-31T12:00:00Z'],
  },
  'keys.priority': { says: 'Who is served first of those that wait for a slot.', default: 'normal' },
  'keys.weight': { says: 'Share among the tenants that wait.', default: 1 },
  'auth.tenants': {
    says: 'By name. The keys in API_KEYS are of "default"; without authentication everyone is "anonymous".',
  },
  'keys.limits': { says: 'Of this key.' },
  'tenants.limits': { says: 'Of all keys of this tenant together.' },
  'tenants.model_limits': { says: 'By model: for this tenant they stand in for the limits of the model itself.' },
  'models.limits': { says: 'Of each tenant on this model.' },
};

const limits: Readonly<Record<string, FieldWords>> = {
  requests_per_minute: { says: 'Requests in a minute.', examples: [600] },
  tokens_per_minute: { says: 'Input and output tokens together in a minute.', examples: [400000] },
  input_tokens_per_minute: { says: 'Input tokens in a minute.', examples: [300000] },
  output_tokens_per_minute: { says: 'Output tokens in a minute.', examples: [100000] },
  requests_per_day: { says: 'Requests in a day, which rolls.', examples: [100000] },
  tokens_per_day: { says: 'Input and output tokens together in a day, which rolls.', examples: [50000000] },
  concurrent: { says: 'Requests at the same time.', examples: [40] },
  burst: {
    says: "How much of a minute's allowance may go at once; a number where only one kind is limited. Left out: all.",
    examples: [100, { requests: 100, tokens: 200000 }],
  },
  'burst.requests': { says: 'Of requests_per_minute.', examples: [100] },
  'burst.tokens': { says: 'Of the tokens in a minute.', examples: [200000] },
};

const state: Readonly<Record<string, FieldWords>> = {
  shared_state: {
    says: 'What several routers count together: one of redis, sentinel, cluster. Left out: there is only this one.',
  },
  'shared_state.redis': {
    says: 'redis://USER:PASSWORD@HOST:PORT/DATABASE; rediss:// for TLS.',
    examples: ['${REDIS_URL:-redis://localhost:6379/0}'],
  },
  'shared_state.sentinel': { says: 'Sentinels that know which Redis is the primary.' },
  'sentinel.primary': { says: 'The name of the primary among the sentinels.', examples: ['mymaster'] },
  'sentinel.nodes': { says: 'Addresses of sentinels.', examples: [['10.0.0.1:26379', '10.0.0.2:26379']] },
  'sentinel.username': { says: 'User at the sentinels themselves.' },
  'sentinel.password': { says: 'Password at the sentinels themselves.', examples: ['${SENTINEL_PASSWORD}'] },
  'sentinel.password_file': { says: 'That password in a file of its own.' },
  'shared_state.cluster': { says: 'A Redis Cluster.' },
  'cluster.nodes': {
    says: 'Any of its nodes; they lead to the others.',
    examples: [['10.0.0.1:6379', '10.0.0.2:6379']],
  },
  'shared_state.username': { says: 'User at Redis, unless it is in the URL.' },
  'shared_state.password': { says: 'Password at Redis, unless it is in the URL.', examples: ['${REDIS_PASSWORD}'] },
  'shared_state.password_file': {
    says: 'The password in a file of its own.',
    examples: ['/run/secrets/redis.password'],
  },
  'shared_state.database': {
    says: 'Number of the database, unless it is in the URL; a cluster has only 0.',
    default: 0,
  },
  'shared_state.tls': { says: '{} for TLS with the CAs of the system.', examples: [{}] },
  'shared_state.prefix': { says: 'In front of every key.', default: 'switchyard:' },
  'shared_state.replicas': {
    says: 'How many routers there are at least, for when Redis is away before they have been counted.',
    default: 1,
  },
  'shared_state.on_failure': {
    says: 'While Redis does not answer. local: a share of each limit per router; open: no limits; closed: refuse.',
    default: 'local',
  },
};

export const fieldWordsOfLimits: Readonly<Record<string, FieldWords>> = { ...auth, ...limits, ...state };
