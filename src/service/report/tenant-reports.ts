// The tenants of a FleetReport: what each has used, and how much of each of its limits is used now, as far as this replica knows.
import type { LimitLevels } from '../../access/limiter.ts';
import type { TenantLimits } from '../../access/limits-of-tenants.ts';
import type { LimitReport, TenantReport } from '../../fleet/report.ts';
import type { Traffic } from './traffic.ts';

export function reportTenants(
  tenants: readonly TenantLimits[],
  { levels, traffic }: { readonly levels: LimitLevels; readonly traffic: Traffic },
): readonly TenantReport[] {
  return tenants.map(({ tenant, limits }) => {
    const { requests, input_tokens, output_tokens } = traffic.ofTenant(tenant);
    return {
      tenant,
      requests,
      input_tokens,
      output_tokens,
      limits: limits.map(({ of, rule }): LimitReport => {
        // A burst is smaller than what a minute has, and it is that which runs out.
        const allowed = 'capacity' in rule ? rule.capacity : rule.limit;
        return { limit: rule.name, of, used: Math.ceil(levels.used(rule) - tolerance), allowed };
      }),
    };
  });
}

/** Sums of fractions are above a whole number by less than this. */
const tolerance = 1e-6;
