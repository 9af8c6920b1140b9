// Every tenant of a fleet with all its limits, for people who ask how much of each is used. Keys are named by their order.
import type { AuthSettings, Fleet } from '../fleet/fleet.ts';
import { keyIdOf } from './keyring.ts';
import { keyRules, modelRules, type Rule, tenantRules } from './rules.ts';

export interface TenantLimits {
  readonly tenant: string;
  readonly limits: readonly { readonly of: string; readonly rule: Rule }[];
}

export function limitsOfTenants({ auth, models }: Pick<Fleet, 'auth' | 'models'>): readonly TenantLimits[] {
  return tenantsOf(auth).map((tenant) => {
    const own = auth.tenants.get(tenant);
    const named = new Set([...(own?.modelLimits.keys() ?? []), ...models.keys()]);
    const ofModel = (model: string) =>
      modelRules(tenant, model, own?.modelLimits.get(model) ?? models.get(model)?.limits);
    return {
      tenant,
      limits: [
        ...auth.keys.flatMap((key, n) =>
          key.tenant === tenant ? listed(`key ${n + 1}`, keyRules(tenant, keyIdOf(key.sha256), key.limits)) : [],
        ),
        ...listed('all keys', tenantRules(tenant, own?.limits)),
        ...[...named].flatMap((model) => listed(model, ofModel(model))),
      ],
    };
  });
}

/** How many counters a fleet may need. */
export function countLimits(fleet: Pick<Fleet, 'auth' | 'models'>): number {
  return limitsOfTenants(fleet).reduce((sum, { limits }) => sum + limits.length, 0);
}

/** Those with keys first, in the order of the file. */
export function tenantsOf({ mode, keys, tenants }: AuthSettings): readonly string[] {
  const callers = mode === 'none' ? ['anonymous'] : keys.map(({ tenant }) => tenant);
  return [...new Set([...callers, ...tenants.keys()])];
}

function listed(of: string, rules: readonly Rule[]): TenantLimits['limits'] {
  return rules.map((rule) => ({ of, rule }));
}
