// Which limits another fleet file would change, in words. Pure. Keys are told by their tenant and place, never by themselves.
import type { Fleet, Limits } from './fleet.ts';

export function limitChanges(before: Fleet, after: Fleet): readonly string[] {
  const [old, now] = [limitsOf(before), limitsOf(after)];
  const owners = new Set([...old.keys(), ...now.keys()]);
  return [...owners].flatMap((owner) => fieldsChanged(old.get(owner) ?? {}, now.get(owner) ?? {}, owner));
}

function limitsOf({ auth, models }: Fleet): ReadonlyMap<string, Limits> {
  const counts = new Map<string, number>();
  const ofKeys = auth.keys.map(({ tenant, limits }) => {
    const count = (counts.get(tenant) ?? 0) + 1;
    counts.set(tenant, count);
    return [`key ${count} of ${tenant}`, limits] as const;
  });
  const ofTenants = [...auth.tenants].flatMap(([tenant, { limits, modelLimits }]) => [
    [`tenant ${tenant}`, limits] as const,
    ...[...modelLimits].map(([model, own]) => [`tenant ${tenant} on ${model}`, own] as const),
  ]);
  const ofModels = [...models].map(([model, { limits }]) => [`each tenant on ${model}`, limits] as const);
  return new Map([...ofKeys, ...ofTenants, ...ofModels].map(([owner, limits]) => [owner, limits ?? {}]));
}

const fields = {
  requestsPerMinute: 'requests_per_minute',
  tokensPerMinute: 'tokens_per_minute',
  inputTokensPerMinute: 'input_tokens_per_minute',
  outputTokensPerMinute: 'output_tokens_per_minute',
  requestsPerDay: 'requests_per_day',
  tokensPerDay: 'tokens_per_day',
  concurrent: 'concurrent',
  burst: 'burst',
} as const satisfies Record<keyof Limits, string>;

function fieldsChanged(before: Limits, after: Limits, owner: string): readonly string[] {
  const isField = (name: string): name is keyof Limits => Object.hasOwn(fields, name);
  return Object.keys(fields)
    .filter(isField)
    .filter((name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]))
    .map((name) => `${owner}: ${fields[name]} ${shown(before[name])} → ${shown(after[name])}`);
}

function shown(limit: Limits[keyof Limits]): string {
  if (limit === undefined) return 'none';
  if (typeof limit === 'number') return String(limit);
  const { requests, tokens } = limit;
  const parts = [requests === undefined ? '' : `${requests} requests`, tokens === undefined ? '' : `${tokens} tokens`];
  return parts.filter((part) => part !== '').join(', ') || 'none';
}
