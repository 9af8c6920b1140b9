// Limits, as keys, tenants and models have them. That `burst` fits the limits beside it is in check-limits.ts.
import { z } from 'zod';
import { number } from './leaves.ts';
import { modelName } from './schema-values.ts';

/** Of requests or tokens. */
export const amount = number(z.int().min(1).max(1e12));

export const limits = z.strictObject({
  requests_per_minute: amount.optional(),
  tokens_per_minute: amount.optional(),
  input_tokens_per_minute: amount.optional(),
  output_tokens_per_minute: amount.optional(),
  requests_per_day: amount.optional(),
  tokens_per_day: amount.optional(),
  concurrent: amount.optional(),
  // The number first, the mapping last: explain.ts goes by it.
  burst: z.union([amount, z.strictObject({ requests: amount.optional(), tokens: amount.optional() })]).optional(),
});

export const tenant = z.strictObject({
  limits: limits.optional(),
  model_limits: z.record(modelName, limits).optional(),
});

export type LimitsEntry = z.output<typeof limits>;
export type TenantEntry = z.output<typeof tenant>;
