// For everyone: whether the fleet serves, how much, how fast, and for whom.
import { Number as Count, PercentUnit, RequestsPerSecond, Seconds } from '@grafana/grafana-foundation-sdk/units';
import type { Board } from '../board.ts';
import { bad, bars, good, lines, stacked, stat, timeline } from '../panels.ts';
import { callersOwn, on, onBackend, onBoth, onModel, quantile } from '../queries.ts';

const up = `max by (backend) (switchyard_backend_up{${onBackend}})`;
const requests = 'switchyard_requests_total';

const whatToDo = `
- **A model without a backend** is an outage for its callers: open *Backends*, look at "Circuit and health", then at the log of the box that is down.
- **Success ratio below 99 %**: "Failures by outcome" says whose fault it is. \`backend_*\`: open *Backends*. \`overloaded\`, \`no_backend\`: open *Routing and admission*. \`internal\`: the router's own log.
- **Time to first token rises** while requests stay the same: boxes are full or slow. "KV cache use" and "Running and waiting on the engine" on *Backends* tell which.
- Mistakes of callers (wrong model, no key, over a limit, hung up) are no part of the success ratio; they stand in "Failures by outcome".
`.trim();

export const fleetOverview: Board = {
  uid: 'switchyard-overview',
  title: 'Fleet overview',
  description: 'Whether the fleet serves, how much, how fast and for whom.',
  whatToDo,
  panels: [
    stat('Backends up', [`sum(${up}) / count(${up})`], {
      about: 'Part of the backends whose last probes passed.',
      unit: PercentUnit,
      width: 5,
      min: 0,
      max: 1,
      thresholds: [
        { value: null, color: bad },
        { value: 0.5, color: 'orange' },
        { value: 1, color: good },
      ],
    }),
    stat(
      'Models without a backend',
      [`count(max by (model) (switchyard_model_available_backends{${onModel}}) == 0) or vector(0)`],
      {
        about: 'Their callers get 503 no_backend, unless a fallback answers.',
        unit: Count,
        width: 5,
        thresholds: [
          { value: null, color: good },
          { value: 1, color: bad },
        ],
      },
    ),
    stat('Requests per second', [`sum(rate(${requests}{${onModel}}[$__rate_interval]))`], {
      about: 'Finished requests of all kinds.',
      unit: RequestsPerSecond,
      width: 5,
    }),
    stat(
      'Success ratio',
      [
        `sum(rate(${requests}{${onModel}, outcome="ok"}[$__rate_interval])) / sum(rate(${requests}{${onModel}, outcome!~"${callersOwn}"}[$__rate_interval]))`,
      ],
      {
        about: 'Of the requests that the fleet or the router could have failed; mistakes of callers are left out.',
        unit: PercentUnit,
        width: 5,
        thresholds: [
          { value: null, color: bad },
          { value: 0.95, color: 'orange' },
          { value: 0.99, color: good },
        ],
      },
    ),
    stat(
      'Output tokens per second',
      [`sum(rate(switchyard_tokens_total{${onModel}, type="output"}[$__rate_interval]))`],
      { about: 'As the backends report them.', unit: Count, width: 4 },
    ),
    lines(
      'Time to first token',
      [0.5, 0.95, 0.99].map(
        (q) => [quantile(q, 'le', 'switchyard_time_to_first_token_seconds', onBoth), `p${q * 100}`] as const,
      ),
      { about: 'Streams only: from the accepted request to the first content sent.', unit: Seconds, width: 12 },
    ),
    stacked('Requests by model', [`sum by (model) (rate(${requests}{${onModel}}[$__rate_interval]))`, '{{model}}'], {
      about: '`other`: models that nobody has.',
      unit: RequestsPerSecond,
      width: 12,
    }),
    stacked(
      'Failures by outcome',
      [`sum by (outcome) (rate(${requests}{${onModel}, outcome!="ok"}[$__rate_interval]))`, '{{outcome}}'],
      { about: 'The words of the table of errors in the README.', unit: RequestsPerSecond, width: 12 },
    ),
    bars(
      'Tokens by tenant',
      [
        `topk(10, sum by (tenant) (increase(switchyard_tokens_total{${onModel}, type=~"input|output"}[$__range])))`,
        '{{tenant}}',
      ],
      { about: 'Input and output together, in the time that is shown; the ten largest.', unit: 'short', width: 12 },
    ),
    timeline(
      'Model × backend availability',
      [
        [`max by (model) (switchyard_model_available_backends{${onModel}})`, '{{model}}'],
        [
          `max by (model, backend) (switchyard_backend_serves_model{${onBoth}} * on (instance, backend) group_left () max by (instance, backend) (switchyard_backend_up{${on}}))`,
          '{{model}} on {{backend}}',
        ],
      ],
      {
        about: 'How many backends can take a request for each model, and whether each of its members is up.',
        unit: Count,
        width: 24,
        thresholds: [
          { value: null, color: bad },
          { value: 1, color: good },
        ],
      },
    ),
  ],
};
