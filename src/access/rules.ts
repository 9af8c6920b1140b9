// The limits that bind one caller on one model, as flat data that every limiter works on. Built once per caller and
// model, when the pair is first seen.
import type { AuthSettings, Fleet, Limits, ModelSettings } from '../fleet/fleet.ts';

/** As in the fleet file: the word of metrics, logs and messages. */
export type LimitName =
  | 'requests_per_minute'
  | 'tokens_per_minute'
  | 'input_tokens_per_minute'
  | 'output_tokens_per_minute'
  | 'requests_per_day'
  | 'tokens_per_day'
  | 'concurrent';

/** Whose allowance it is: one key's, all of a tenant's, or a tenant's on one model. */
export type Scope = 'key' | 'tenant' | 'model';

interface Named {
  readonly name: LimitName;
  readonly scope: Scope;
  /** Of the scope `model`. */
  readonly model: string | undefined;
  /** Names the counter. The tenant stands in braces: in a Redis cluster all counters of a tenant share a slot. */
  readonly id: string;
  /** As configured. */
  readonly limit: number;
}

export interface RateRule extends Named {
  readonly counts: 'requests' | 'tokens' | 'input' | 'output';
  /** What may be used at once. */
  readonly capacity: number;
  /** What comes back in a millisecond. */
  readonly perMs: number;
  readonly windowSeconds: number;
}

/** At most `limit` requests at the same time. */
export type LeaseRule = Named;

export interface Rules {
  readonly tenant: string;
  readonly rates: readonly RateRule[];
  readonly leases: readonly LeaseRule[];
  /** Whether the answer's tokens matter, so that streams must tell them. */
  readonly countsTokens: boolean;
  readonly maxReservedOutputTokens: number;
}

export function isUnlimited({ rates, leases }: Rules): boolean {
  return rates.length === 0 && leases.length === 0;
}

export interface Holder {
  readonly tenant: string;
  /** Names the key in counters; absent where there is none. */
  readonly keyId?: string;
  readonly keyLimits?: Limits;
}

/** The rules of a holder by model. Names must be those of known models: each is kept. */
export function rulesOf(
  { tenant, keyId, keyLimits }: Holder,
  { tenants, maxReservedOutputTokens }: Pick<AuthSettings, 'tenants' | 'maxReservedOutputTokens'>,
  models: ReadonlyMap<string, Pick<ModelSettings, 'limits'>>,
): (model: string) => Rules {
  const known = new Map<string, Rules>();
  const own = tenants.get(tenant);
  const everywhere = [...keyRules(tenant, keyId ?? '', keyLimits), ...tenantRules(tenant, own?.limits)];
  return (model) => {
    const before = known.get(model);
    if (before !== undefined) return before;
    const limits = own?.modelLimits.get(model) ?? models.get(model)?.limits;
    const all = [...everywhere, ...modelRules(tenant, model, limits)];
    const rates = all.filter((rule): rule is RateRule => 'perMs' in rule);
    const rules: Rules = {
      tenant,
      rates,
      leases: all.filter((rule) => !('perMs' in rule)),
      countsTokens: rates.some(({ counts }) => counts !== 'requests'),
      maxReservedOutputTokens,
    };
    known.set(model, rules);
    return rules;
  };
}

export type Rule = RateRule | LeaseRule;

export function keyRules(tenant: string, keyId: string, limits: Limits | undefined): readonly Rule[] {
  return rulesFrom(limits, { scope: 'key', owner: `{${tenant}}:key:${keyId}` });
}

/** Of all keys of a tenant together. */
export function tenantRules(tenant: string, limits: Limits | undefined): readonly Rule[] {
  return rulesFrom(limits, { scope: 'tenant', owner: `{${tenant}}:all` });
}

export function modelRules(tenant: string, model: string, limits: Limits | undefined): readonly Rule[] {
  return rulesFrom(limits, { scope: 'model', owner: `{${tenant}}:model:${model}`, model });
}

/** Every limit that may decide about a tenant, each once. */
export function limitsByTenant({
  auth,
  models,
}: Pick<Fleet, 'auth' | 'models'>): readonly (readonly [string, LimitName])[] {
  const holders = auth.mode === 'none' ? [{ tenant: 'anonymous', limits: undefined }] : auth.keys;
  const found = new Map<string, readonly [string, LimitName]>();
  for (const { tenant, limits } of holders) {
    const own = auth.tenants.get(tenant);
    const ofModels = [...(own?.modelLimits.values() ?? []), ...[...models.values()].map((model) => model.limits)];
    for (const one of [limits, own?.limits, ...ofModels])
      for (const { name } of rulesFrom(one, { scope: 'tenant', owner: tenant }))
        found.set(`${tenant} ${name}`, [tenant, name]);
  }
  return [...found.values()];
}

const minuteSeconds = 60;
const daySeconds = 86_400;

interface Owner {
  readonly scope: Scope;
  readonly owner: string;
  readonly model?: string;
}

function rulesFrom(limits: Limits | undefined, { scope, owner, model }: Owner): readonly Rule[] {
  if (limits === undefined) return [];
  const found: Rule[] = [];
  const rate = (
    name: LimitName,
    limit: number | undefined,
    how: Pick<RateRule, 'counts' | 'windowSeconds'> & { readonly burst: number | undefined },
  ) => {
    if (limit === undefined) return;
    const { counts, windowSeconds, burst } = how;
    const perMs = limit / (windowSeconds * 1000);
    const id = `${owner}:${name}`;
    found.push({ name, scope, model, id, limit, counts, windowSeconds, capacity: burst ?? limit, perMs });
  };
  const minute = { windowSeconds: minuteSeconds, burst: limits.burst?.tokens };
  const day = { windowSeconds: daySeconds, burst: undefined };
  rate('requests_per_minute', limits.requestsPerMinute, {
    ...minute,
    counts: 'requests',
    burst: limits.burst?.requests,
  });
  rate('tokens_per_minute', limits.tokensPerMinute, { ...minute, counts: 'tokens' });
  rate('input_tokens_per_minute', limits.inputTokensPerMinute, { ...minute, counts: 'input' });
  rate('output_tokens_per_minute', limits.outputTokensPerMinute, { ...minute, counts: 'output' });
  rate('requests_per_day', limits.requestsPerDay, { ...day, counts: 'requests' });
  rate('tokens_per_day', limits.tokensPerDay, { ...day, counts: 'tokens' });
  if (limits.concurrent !== undefined)
    found.push({ name: 'concurrent', scope, model, id: `${owner}:concurrent`, limit: limits.concurrent });
  return found;
}
