// How the router itself fares: what it adds, and what it runs out of.
import {
  BytesIEC,
  DateTimeFromNow,
  Number as Count,
  OpsPerSecond,
  PercentUnit,
  RequestsPerSecond,
  Seconds,
} from '@grafana/grafana-foundation-sdk/units';
import type { Board } from '../board.ts';
import { bad, good, lines, withRightScale, words } from '../panels.ts';
import { on, onBackend, onBoth, quantile } from '../queries.ts';
import { coloured, table } from '../table.ts';

const newestRuns = words({ 0: ['refused', bad], 1: ['yes', good] });

const whatToDo = `
- **Event loop lag above 100 ms or CPU near 1**: one router is too little. Add a replica; a router is one thread.
- **Memory grows without end**: look at "Open client requests" and at slow callers (\`switchyard_buffered_bytes\`) first; restart the replica, its streams drain.
- **Replicas differ in their configuration** or a file was refused: \`switchyard check\` prints the mistakes with line and column; the log of that replica has them too.
- **Redis slow or failing**: limits go on as \`shared_state.on_failure\` says. Look at Redis itself, then at the network between.
- **Requests without usage**: their tokens are in no count and no limit is charged by them. Set \`usage: force\`, or update the engine.
`.trim();

export const routerInternals: Board = {
  uid: 'switchyard-internals',
  title: 'Router internals',
  description: 'What the router adds, and what it runs out of.',
  whatToDo,
  panels: [
    lines(
      'Added overhead p99 by phase',
      [[quantile(0.99, 'le, phase', 'switchyard_overhead_seconds', on), '{{phase}}']],
      {
        about: 'Time that the router itself adds to a request.',
        unit: Seconds,
        width: 12,
      },
    ),
    withRightScale(
      lines(
        'Event loop lag p99 and utilisation',
        [
          [`max by (instance) (nodejs_eventloop_lag_p99_seconds{${on}})`, '{{instance}} lag p99'],
          [
            `max by (instance) (switchyard_overload_used_ratio{${on}, resource="event_loop_delay"})`,
            '{{instance}} of its limit',
          ],
        ],
        {
          about:
            'How late timers run, and that as a part of server.overload.event_loop_delay: at 1 new requests are refused.',
          unit: Seconds,
          width: 12,
        },
      ),
      'B',
      PercentUnit,
    ),
    lines('Open client requests', [[`sum by (instance) (switchyard_requests_inflight{${on}})`, '{{instance}}']], {
      about: 'Accepted and not finished, waiting ones included.',
      unit: Count,
      width: 12,
    }),
    lines(
      'Upstream connections',
      [[`sum by (backend, state) (switchyard_upstream_connections{${onBackend}})`, '{{backend}} {{state}}']],
      { about: 'Sockets to the backends.', unit: Count, width: 12 },
    ),
    lines(
      'Memory',
      [
        [`process_resident_memory_bytes{${on}}`, '{{instance}} resident'],
        [`nodejs_heap_size_used_bytes{${on}}`, '{{instance}} heap'],
      ],
      { about: 'Of the process, and of that what JavaScript objects take.', unit: BytesIEC, width: 12 },
    ),
    lines('CPU', [[`rate(process_cpu_seconds_total{${on}}[$__rate_interval])`, '{{instance}}']], {
      about: 'Cores in use; requests are handled by one.',
      unit: PercentUnit,
      width: 12,
    }),
    withRightScale(
      lines(
        'Redis latency p99 and errors',
        [
          [quantile(0.99, 'le, command', 'switchyard_shared_state_command_duration_seconds', on), '{{command}}'],
          [
            `sum by (command, reason) (rate(switchyard_shared_state_errors_total{${on}}[$__rate_interval]))`,
            '{{command}} {{reason}}',
          ],
        ],
        {
          about: 'Round trips; nobody waits for one longer than 50 ms. Empty without shared state.',
          unit: Seconds,
          width: 12,
        },
      ),
      'B',
      OpsPerSecond,
    ),
    lines(
      'Requests without usage',
      [[`sum by (backend) (rate(switchyard_usage_missing_total{${onBoth}}[$__rate_interval]))`, '{{backend}}']],
      { about: 'Good answers that did not tell their tokens.', unit: RequestsPerSecond, width: 12 },
    ),
    table(
      'Configuration of each replica',
      [
        {
          title: 'Info',
          expr: `max by (instance, config_hash) (switchyard_config_info{${on}})`,
          labelsOnly: true,
        },
        {
          title: 'Loaded',
          expr: `1000 * max by (instance) (switchyard_config_last_reload_success_timestamp_seconds{${on}})`,
          cells: [{ id: 'unit', value: DateTimeFromNow }],
        },
        {
          title: 'Newest file runs',
          expr: `min by (instance) (switchyard_config_last_reload_successful{${on}})`,
          cells: [{ id: 'mappings', value: newestRuns }, coloured],
        },
      ],
      { about: 'The short hash of the running fleet file; all replicas should have the same.', unit: Count, width: 24 },
    ),
  ],
};
