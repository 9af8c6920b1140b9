// Tenants: what each has used, and how far along its limits it is.
import { useMemo } from 'preact/hooks';
import type { TenantReport } from '../fleet/report.ts';
import { formatCount, formatMany } from './format.ts';
import { Meter } from './marks.tsx';
import { Cell, Nothing, RowHead, Section, Table } from './section.tsx';

const heads = ['tenant', 'requests', 'input tokens', 'output tokens', 'limits'];

export function TenantsSection({ tenants }: { readonly tenants: readonly TenantReport[] }) {
  return (
    <Section id="tenants" title="Tenants" note={formatMany(tenants.length, 'tenant')}>
      {tenants.length === 0 ? (
        <Nothing>Nobody has asked for anything yet.</Nothing>
      ) : (
        <Table label="tenants" heads={heads}>
          {tenants.map((tenant) => (
            <Tenant key={tenant.tenant} tenant={tenant} />
          ))}
        </Table>
      )}
    </Section>
  );
}

function Tenant({ tenant }: { readonly tenant: TenantReport }) {
  return useMemo(
    () => (
      <tr role="row">
        <RowHead>
          <span class="name">{tenant.tenant}</span>
        </RowHead>
        <Cell head="requests" class="number">
          {formatCount(tenant.requests)}
        </Cell>
        <Cell head="input tokens" class="number">
          {formatCount(tenant.input_tokens)}
        </Cell>
        <Cell head="output tokens" class="number">
          {formatCount(tenant.output_tokens)}
        </Cell>
        <Cell head="limits" class="wide">
          {tenant.limits.length === 0 ? (
            <span class="faint">none</span>
          ) : (
            <ul class="limits">
              {tenant.limits.map((limit) => (
                <li key={`${limit.limit} ${limit.of}`}>
                  <span>
                    {limit.limit} <span class="faint">of {limit.of}</span>
                  </span>
                  <Meter used={limit.used} allowed={limit.allowed} />
                </li>
              ))}
            </ul>
          )}
        </Cell>
      </tr>
    ),
    [tenant],
  );
}
