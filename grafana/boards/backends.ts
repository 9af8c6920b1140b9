// For whoever is on call: which box is down, full, slow or breaks streams.
import { StackingMode } from '@grafana/grafana-foundation-sdk/common';
import { Number as Count, OpsPerSecond, PercentUnit, Seconds } from '@grafana/grafana-foundation-sdk/units';
import type { Board } from '../board.ts';
import { bad, good, lines, stacked, timeline, words } from '../panels.ts';
import { onBackend, onBoth, quantile } from '../queries.ts';
import { coloured, table } from '../table.ts';

const firstToken = 'switchyard_time_to_first_token_seconds';
const perToken = 'switchyard_time_per_output_token_seconds';
const inFlight = `sum by (backend) (switchyard_backend_inflight_requests{${onBackend}})`;
const upWords = words({ 0: ['down', bad], 1: ['up', good] });
const circuitWords = words({ 0: ['closed', good], 1: ['open', bad] });
const open = `max by (backend) (switchyard_circuit_state{${onBoth}, state="open"})`;
const up = `max by (backend) (switchyard_backend_up{${onBackend}})`;

const whatToDo = `
- **Down**: ask the box itself (\`curl URL/health\`) and read its log. Take it out for repair with \`POST /backends/NAME/drain\` on the admin listener; running streams finish.
- **Circuit open, probes fine**: it answers probes and fails requests. "Attempt results" says how; the engine's log says why.
- **One box slow** (time to first token, time per output token) while others are not: lower its \`weight\` or its \`max_in_flight\`, and look for throttling or a neighbour on its GPU.
- **KV cache near 1, requests waiting on the engine**: it is given more than it can hold. Lower \`max_in_flight\` (or set \`auto\`), or add a box.
- **Load signal old**: its metrics page does not answer (llama.cpp needs \`--metrics\`, SGLang \`--enable-metrics\`); the router goes on with what it has in flight there.
`.trim();

export const backends: Board = {
  uid: 'switchyard-backends',
  title: 'Backends',
  description: 'Which box is down, full, slow, or breaks streams.',
  whatToDo,
  panels: [
    table(
      'Backends',
      [
        { title: 'Up', expr: up, cells: [{ id: 'mappings', value: upWords }, coloured] },
        { title: 'Circuit', expr: open, cells: [{ id: 'mappings', value: circuitWords }, coloured] },
        { title: 'In flight', expr: inFlight },
        { title: 'Waiting', expr: `max by (backend) (switchyard_backend_waiting_requests{${onBackend}})` },
        {
          title: 'KV cache',
          expr: `max by (backend) (switchyard_backend_kv_cache_usage_ratio{${onBackend}})`,
          cells: [{ id: 'unit', value: PercentUnit }],
        },
        {
          title: 'TTFT p95',
          expr: quantile(0.95, 'le, backend', firstToken, onBoth),
          cells: [{ id: 'unit', value: Seconds }],
        },
      ],
      { about: 'Waiting and KV cache as the engine reports them; empty where it does not.', unit: Count, width: 24 },
    ),
    stacked(
      'Traffic share',
      [`sum by (backend) (rate(switchyard_upstream_attempts_total{${onBoth}}[$__rate_interval]))`, '{{backend}}'],
      { about: 'Each backend’s part of all attempts.', unit: OpsPerSecond, width: 12 },
      StackingMode.Percent,
    ),
    lines('Imbalance', [[`max(${inFlight}) / avg(${inFlight})`, 'max / mean']], {
      about: 'Requests in flight on the fullest backend against the mean; 1 is even. Weights are not taken out.',
      unit: Count,
      width: 12,
    }),
    lines(
      'Running and waiting on the engine',
      [
        [`max by (backend) (switchyard_backend_running_requests{${onBackend}})`, '{{backend}} running'],
        [`max by (backend) (switchyard_backend_waiting_requests{${onBackend}})`, '{{backend}} waiting'],
      ],
      { about: 'As the engine reports them, from all its callers.', unit: Count, width: 12 },
    ),
    lines(
      'KV cache use',
      [[`max by (backend) (switchyard_backend_kv_cache_usage_ratio{${onBackend}})`, '{{backend}}']],
      {
        about: 'As the engine reports it. Near 1 it preempts requests and computes prompts again.',
        unit: PercentUnit,
        width: 12,
        min: 0,
        max: 1,
      },
    ),
    lines('Time to first token p95', [[quantile(0.95, 'le, backend', firstToken, onBoth), '{{backend}}']], {
      about: 'Streams only, with the wait in the router’s queue.',
      unit: Seconds,
      width: 12,
    }),
    lines('Time per output token p95', [[quantile(0.95, 'le, backend', perToken, onBoth), '{{backend}}']], {
      about: 'Streams only, after the first token.',
      unit: Seconds,
      width: 12,
    }),
    stacked(
      'Attempt results',
      [
        `sum by (backend, result) (rate(switchyard_upstream_attempts_total{${onBoth}, result!="ok"}[$__rate_interval]))`,
        '{{backend}} {{result}}',
      ],
      {
        about: 'Attempts that did not end well, and how; callers mostly got their answer elsewhere.',
        unit: OpsPerSecond,
        width: 12,
      },
    ),
    timeline(
      'Circuit and health',
      [
        [open, '{{backend}} circuit'],
        [up, '{{backend}} probes'],
      ],
      { about: 'The circuit goes by live traffic, health by probes.', unit: Count, width: 12 },
    )
      .overrideByQuery('A', [{ id: 'mappings', value: circuitWords }])
      .overrideByQuery('B', [{ id: 'mappings', value: upWords }]),
    lines(
      'Broken streams',
      [
        [
          `sum by (backend, reason) (rate(switchyard_streams_broken_total{${onBackend}}[$__rate_interval]))`,
          '{{backend}} {{reason}}',
        ],
      ],
      {
        about: 'Streams that ended without their last event after bytes had reached the caller.',
        unit: OpsPerSecond,
        width: 12,
      },
    ),
    lines(
      'Age of load signal',
      [
        [
          `time() - max by (backend, signal) (switchyard_backend_signal_timestamp_seconds{${onBackend}})`,
          '{{backend}} {{signal}}',
        ],
      ],
      { about: 'Since the last good reading of each signal.', unit: Seconds, width: 12 },
    ),
  ],
};
