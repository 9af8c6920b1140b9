// Somebody of a tenant, for questions about what its requests would meet: no key is asked for, and none is told.
import type { Fleet } from '../fleet/fleet.ts';
import type { Caller } from './keyring.ts';
import { tenantsOf } from './limits-of-tenants.ts';
import { rulesOf } from './rules.ts';

/** May use whatever one of its keys may; without a tenant, everything. Undefined: the fleet knows no such tenant. */
export function callerOfTenant({ auth, models }: Fleet, asked: string | undefined): Caller | undefined {
  if (asked !== undefined && !tenantsOf(auth).includes(asked)) return undefined;
  const tenant = asked ?? 'anonymous';
  const keys = auth.keys.filter((key) => key.tenant === asked);
  const isConfined = keys.length > 0 && keys.every((key) => key.models !== undefined);
  return {
    tenant,
    models: isConfined ? keys.flatMap((key) => key.models ?? []) : undefined,
    priority: keys[0]?.priority ?? 'normal',
    weight: keys[0]?.weight ?? 1,
    rules: rulesOf({ tenant }, auth, models),
  };
}
