// Where requests go and who has to wait or is refused.
import {
  Number as Count,
  OpsPerSecond,
  PercentUnit,
  RequestsPerSecond,
  Seconds,
} from '@grafana/grafana-foundation-sdk/units';
import type { Board } from '../board.ts';
import { bad, good, heat, lines, stacked } from '../panels.ts';
import { on, onBoth, onModel } from '../queries.ts';
import { table } from '../table.ts';

const attempts = (attempt: string) =>
  `sum(rate(switchyard_upstream_attempts_total{${onBoth}, attempt="${attempt}"}[$__rate_interval]))`;

const whatToDo = `
- **Queue not empty for long**: the fleet is too small for what is asked. Add a backend, raise \`max_in_flight\` where KV cache is left (*Backends*), name a \`fallback\` for \`overloaded\`.
- **Rejections**: \`queue_full\` and \`queue_timeout\` are too little room, \`rate_limit\` a tenant at its limit, \`no_backend\` an outage, \`overload\` the router itself (*Router internals*).
- **Retry ratio above 20 %**: something fails often and callers pay with time. "Failovers by reason" says what, *Backends* says where.
- **Decisions \`none\`**: nobody could be chosen. \`fallback\`: another model answers; its callers get something else than they asked for.
- **A tenant denied again and again**: talk to it, or change its \`limits\` in the fleet file.
`.trim();

export const routingAndAdmission: Board = {
  uid: 'switchyard-routing',
  title: 'Routing and admission',
  description: 'Where requests go, and who has to wait or is refused.',
  whatToDo,
  panels: [
    stacked(
      'Decisions by result',
      [`sum by (result) (rate(switchyard_routing_decisions_total{${onModel}}[$__rate_interval]))`, '{{result}}'],
      { about: 'How backends were chosen.', unit: OpsPerSecond, width: 12 },
    ),
    lines(
      'Fallback ratio',
      [
        [
          `sum(rate(switchyard_fallbacks_total{${onModel}}[$__rate_interval])) / sum(rate(switchyard_requests_total{${onModel}}[$__rate_interval]))`,
          'another model answers',
        ],
      ],
      {
        about: 'Part of the requests that another model than the one asked for has taken.',
        unit: PercentUnit,
        width: 12,
        min: 0,
      },
    ),
    lines('Retry ratio', [[`${attempts('retry')} / ${attempts('first')}`, 'retries / first attempts']], {
      about: 'Second and further attempts for each first one.',
      unit: PercentUnit,
      width: 12,
      thresholds: [
        { value: null, color: good },
        { value: 0.2, color: bad },
      ],
    }),
    lines(
      'Failovers by reason',
      [[`sum by (reason) (rate(switchyard_failovers_total{${onModel}}[$__rate_interval]))`, '{{reason}}']],
      { about: 'Requests that another backend than the first choice has served.', unit: RequestsPerSecond, width: 12 },
    ),
    lines('Queue length', [[`sum by (model) (switchyard_queue_length{${onModel}})`, '{{model}}']], {
      about: 'Requests that wait for a slot at a backend of their model.',
      unit: Count,
      width: 12,
    }),
    heat('Queue wait', `sum by (le) (increase(switchyard_queue_wait_seconds_bucket{${onModel}}[$__rate_interval]))`, {
      about: 'How long those waited who have stopped waiting.',
      unit: Seconds,
      width: 12,
    }),
    stacked(
      'Rejections by reason',
      [`sum by (reason) (rate(switchyard_rejections_total{${onModel}}[$__rate_interval]))`, '{{reason}}'],
      { about: 'Requests that the router itself refused.', unit: RequestsPerSecond, width: 12 },
    ),
    table(
      'Limiter denials by tenant',
      [
        {
          title: 'Denied',
          expr: `sum by (tenant, limit) (increase(switchyard_rate_limit_decisions_total{${on}, decision="denied"}[$__range]))`,
          cells: [{ id: 'decimals', value: 0 }],
        },
      ],
      { about: 'In the time that is shown, by the limit that refused.', unit: Count, width: 12 },
    ),
  ],
};
