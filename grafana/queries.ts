// What all boards ask with: the filters of the variables, and which outcomes are nobody's failure but the caller's.
import { QueryVariableBuilder, VariableRefresh, VariableSort } from '@grafana/grafana-foundation-sdk/dashboard';

/** Chosen in the board itself, so that the same file works by hand and by provisioning. */
export const datasource = { type: 'prometheus', uid: '${datasource}' } as const;

/** Label matchers, for what carries these labels. */
export const on = 'instance=~"$instance"';
export const onModel = `${on}, model=~"$model"`;
export const onBackend = `${on}, backend=~"$backend"`;
export const onBoth = `${on}, model=~"$model", backend=~"$backend"`;

/** The caller's own fault by the table of errors, prompts that a backend refused as wrong, and callers who hung up. */
export const callersOwn =
  'invalid_request|unauthorized|forbidden|model_not_found|not_found|request_too_large|unsupported|rate_limit_exceeded|client_closed|backend_rejected';

export function quantile(q: number, by: string, histogram: string, matchers: string): string {
  return `histogram_quantile(${q}, sum by (${by}) (rate(${histogram}_bucket{${matchers}}[$__rate_interval])))`;
}

export const variables = {
  instance: ['Router', 'switchyard_build_info'],
  model: ['Model', 'switchyard_model_configured_backends'],
  backend: ['Backend', 'switchyard_backend_up'],
} as const;

/** Everything unless chosen. Only routers are listed, because other programs tell of their process in the same words. */
export function listOf(name: keyof typeof variables): QueryVariableBuilder {
  const [label, metric] = variables[name];
  const all = { selected: true, text: 'All', value: '$__all' };
  const list = new QueryVariableBuilder(name)
    .label(label)
    .datasource(datasource)
    .query({ qryType: 1, query: `label_values(${metric}, ${name})`, refId: name })
    .definition(`label_values(${metric}, ${name})`)
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.NaturalAsc)
    .multi(true)
    .includeAll(true)
    .current(all);
  return name === 'instance' ? list : list.allValue('.*');
}
