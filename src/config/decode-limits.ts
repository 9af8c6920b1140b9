// Limits and tenants as the schema read them → as the fleet has them.
import type { Limits, TenantSettings } from '../fleet/fleet.ts';
import { present } from './present.ts';
import type { LimitsEntry, TenantEntry } from './schema-limits.ts';

export function decodeTenants(entries: Readonly<Record<string, TenantEntry>>): ReadonlyMap<string, TenantSettings> {
  return new Map(Object.entries(entries).map(([name, entry]) => [name, decodeTenant(entry)]));
}

function decodeTenant({ limits, model_limits: ofModels }: TenantEntry): TenantSettings {
  return {
    ...present({ limits: limits && decodeLimits(limits) }),
    modelLimits: new Map(Object.entries(ofModels ?? {}).map(([model, entry]) => [model, decodeLimits(entry)])),
  };
}

export function decodeLimits(entry: LimitsEntry): Limits {
  return present({
    requestsPerMinute: entry.requests_per_minute,
    tokensPerMinute: entry.tokens_per_minute,
    inputTokensPerMinute: entry.input_tokens_per_minute,
    outputTokensPerMinute: entry.output_tokens_per_minute,
    requestsPerDay: entry.requests_per_day,
    tokensPerDay: entry.tokens_per_day,
    concurrent: entry.concurrent,
    burst: decodeBurst(entry),
  });
}

function decodeBurst({ burst, requests_per_minute: requestsPerMinute }: LimitsEntry): Limits['burst'] {
  // check-limits.ts has seen to it that a bare number has one meaning.
  if (typeof burst === 'number') return requestsPerMinute === undefined ? { tokens: burst } : { requests: burst };
  return burst && present(burst);
}
