// The shape of fleet.yaml, field by field. What several fields must agree on is in cross-checks.ts; defaults are in
// defaults.ts. Only fields that work are here.
import { z } from 'zod';
import { engines } from '../engines/index.ts';
import type { EngineName } from '../engines/index.ts';
import type { Capability } from '../fleet/capabilities.ts';
import { priorities } from '../fleet/fleet.ts';
import { policies } from '../selection/policies/index.ts';
import { isReservedHeader } from '../wire/reserved-headers.ts';
import { parseBackendUrl, parseListen } from './addresses.ts';
import { parseExpiry } from './expiry.ts';
import { filledList, filledText, flag, list, number, text } from './leaves.ts';
import { admin } from './schema-admin.ts';
import { discover } from './schema-discover.ts';
import { amount, limits, tenant } from './schema-limits.ts';
import { metrics } from './schema-metrics.ts';
import { leastCost } from './schema-least-cost.ts';
import { overload } from './schema-overload.ts';
import { sharedState } from './schema-shared-state.ts';
import { clientTls, serverTls } from './schema-tls.ts';
import { tracing } from './schema-tracing.ts';
import { count, duration, file, modelName, name, parsedBy, positive, secret } from './schema-values.ts';
import { parseSize, sizePattern } from './units.ts';

/** Beyond the cores of any machine there is. */
const mostWorkers = 128;

const backendName = name.refine((value) => value !== 'none', { error: 'the name "none" is reserved' });
const size = parsedBy(parseSize, sizePattern).refine((bytes) => bytes >= 1024, { error: 'must be at least 1KiB' });

const workers = number(
  z.unknown().transform((value, context) => {
    if (value === 'auto') return value;
    if (typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= mostWorkers) return value;
    context.addIssue({ code: 'custom', message: `expected a number from 1 to ${mostWorkers}, or auto` });
    return z.NEVER;
  }),
).meta({ anyOf: [{ type: 'integer', minimum: 1, maximum: mostWorkers }, { const: 'auto' }] });

const header = text((schema) =>
  schema.regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}$/, { error: 'expected the name of a header' }),
)
  .transform((value) => value.toLowerCase())
  .refine((value) => !isReservedHeader(value), { error: 'this header is never passed on' });

const can = {
  'chat-completions': flag.optional(),
  completions: flag.optional(),
  embeddings: flag.optional(),
  tools: flag.optional(),
  vision: flag.optional(),
  audio: flag.optional(),
  json_schema: flag.optional(),
} satisfies Record<Capability, z.ZodType>;
const capabilities = z.strictObject(can);

const probe = z.strictObject({
  interval: positive.optional(),
  timeout: positive.optional(),
  up_after: count.optional(),
  down_after: count.optional(),
});

const timeouts = z.strictObject({
  connect: positive.optional(),
  first_byte: positive.optional(),
  first_byte_plain: positive.optional(),
  gap: positive.optional(),
  total: positive.optional(),
});

const circuit = z.strictObject({
  consecutive: count.optional(),
  window: positive.optional(),
  min_requests: count.optional(),
  failure_ratio: number(z.number().positive().max(1)).optional(),
  open_for: positive.optional(),
  growth: number(z.number().min(1).max(100)).optional(),
  open_max: positive.optional(),
});

// What `defaults` and each backend share.
const shared = {
  probe: probe.optional(),
  timeouts: timeouts.optional(),
  circuit: circuit.optional(),
  // The number first: explain.ts goes by it.
  max_in_flight: z.union([count, text(z.literal('auto'))]).optional(),
  stall_after: duration.optional(),
  usage: text(z.enum(['auto', 'force'])).optional(),
  tls: clientTls.optional(),
};

const isEngineName = (value: string): value is EngineName => Object.hasOwn(engines, value);
const engineNames = Object.keys(engines).filter(isEngineName);

const backend = z.strictObject({
  name: backendName.optional(),
  engine: text(z.enum([...engineNames, 'auto'])).optional(),
  url: parsedBy(parseBackendUrl, '^[Hh][Tt][Tt][Pp][Ss]?://').optional(),
  discover: discover.optional(),
  weight: number(z.number().positive().max(1_000_000)).optional(),
  state: text(z.enum(['enabled', 'draining', 'disabled'])).optional(),
  models: list(modelName).optional(),
  ...shared,
  auth: z.strictObject({ bearer: secret.optional(), bearer_file: file.optional() }).optional(),
  capabilities: capabilities.optional(),
  context: count.optional(),
  simulate: z
    .strictObject({
      models: filledList(modelName).optional(),
      first_token: duration.optional(),
      tokens_per_second: number(z.number().positive().max(1_000_000)).optional(),
    })
    .optional(),
});

const key = z.strictObject({
  tenant: name,
  key: secret.optional(),
  key_file: file.optional(),
  key_sha256: text((schema) => schema.regex(/^[0-9A-Fa-f]{64}$/, { error: 'expected 64 hex digits' })).optional(),
  models: list(filledText).optional(),
  expires: parsedBy(parseExpiry, '^\\d{4}-\\d{2}-\\d{2}').optional(),
  limits: limits.optional(),
  priority: text(z.enum(priorities)).optional(),
  weight: number(z.number().positive().max(1_000_000)).optional(),
});

const retries = z.strictObject({ budget_ratio: number(z.number().min(0).max(1)).optional() });

const queue = z.strictObject({
  max_length: number(z.int().min(0).max(1_000_000)).optional(),
  max_wait: positive.optional(),
  comments: flag.optional(),
});

// The list first, the mapping last: explain.ts goes by it.
const fallback = z.union([
  list(modelName),
  z.strictObject({ no_backend: list(modelName).optional(), overloaded: list(modelName).optional() }),
]);

const model = z.strictObject({
  aliases: list(modelName).optional(),
  backend_names: z.record(z.string(), modelName).optional(),
  capabilities: capabilities.optional(),
  context: count.optional(),
  timeouts: timeouts.optional(),
  limits: limits.optional(),
  queue: queue.optional(),
  fallback: fallback.optional(),
  continuation: flag.optional(),
});

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

export const fleetSchema = z.strictObject({
  version: number(z.literal(1)),
  server: z
    .strictObject({
      listen: parsedBy(parseListen, ':\\d{1,5}$').optional(),
      workers: workers.optional(),
      metrics: flag.optional(),
      max_body: size.optional(),
      drain_delay: duration.optional(),
      drain_timeout: duration.optional(),
      forward_headers: list(header).optional(),
      rate_limit_headers: text(z.enum(['openai', 'ietf', 'both'])).optional(),
      overload: overload.optional(),
      tls: serverTls.optional(),
    })
    .optional(),
  admin: admin.optional(),
  auth: z
    .strictObject({
      mode: text(z.enum(['none', 'keys'])).optional(),
      max_reserved_output_tokens: amount.optional(),
      keys: list(key).optional(),
      tenants: z.record(name, tenant).optional(),
    })
    .optional(),
  defaults: z.strictObject(shared).optional(),
  backends: filledList(backend),
  models: z.record(modelName, model).optional(),
  routing: z
    .strictObject({
      policy: text(z.enum(Object.keys(policies))).optional(),
      queue: queue.optional(),
      retries: retries.optional(),
      panic: number(z.number().min(0).max(1)).optional(),
      slow_start: duration.optional(),
      least_cost: leastCost.optional(),
    })
    .optional(),
  shared_state: sharedState.optional(),
  metrics: metrics.optional(),
  tracing: tracing.optional(),
  logging: z
    .strictObject({
      level: text(z.enum(logLevels)).optional(),
      format: text(z.enum(['auto', 'json', 'pretty'])).optional(),
      access: text(z.enum(['all', 'errors', 'none'])).optional(),
    })
    .optional(),
});

export type FleetFile = z.output<typeof fleetSchema>;
export type BackendEntry = z.output<typeof backend>;
export type QueueEntry = z.output<typeof queue>;
export type ModelEntry = z.output<typeof model>;
export type TimeoutsEntry = z.output<typeof timeouts>;
export type KeyEntry = z.output<typeof key>;
