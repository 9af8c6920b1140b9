// What an operator should look at, and the fleet in a few numbers.
import type { ComponentChildren } from 'preact';
import type { BackendReport, FleetReport } from '../fleet/report.ts';
import { Ago } from './ago.tsx';
import { formatCount, formatRate, nothing } from './format.ts';
import { Mark, Word } from './marks.tsx';
import type { Rates } from './samples.ts';
import { severityOf, toneOf } from './tone.ts';

export function Attention({ report }: { readonly report: FleetReport }) {
  const { attention, config, shared_state: shared } = report;
  const refused = config.refused;
  const away = shared !== null && !shared.up;
  if (attention.length === 0 && refused === null && !away) return null;
  return (
    <section id="attention" aria-label="attention">
      <ul>
        {attention.map((line) => (
          <li key={line}>
            <Mark tone="warning" /> {line}
          </li>
        ))}
      </ul>
      {away && (
        <p class="faint">
          shared_state: on_failure is <code>{shared.on_failure}</code> while Redis is away
        </p>
      )}
      {refused !== null && (
        <details open>
          <summary>
            the fleet file was refused <Ago at={refused.at} />; <code>{config.hash}</code> goes on
          </summary>
          <pre>{refused.problems.join('\n')}</pre>
        </details>
      )}
    </section>
  );
}

export interface TilesProps {
  readonly report: FleetReport;
  readonly rates: Rates | undefined;
}

export function Tiles({ report, rates }: TilesProps) {
  const { backends, models, traffic } = report;
  const served = models.filter(({ available }) => available > 0).length;
  return (
    <dl class="tiles">
      <Tile name="backends" value={formatCount(backends.length)}>
        <span class="words">
          {countStates(backends).map(([state, count]) => (
            <Word key={state} word={`${count} ${state}`} tone={toneOf(state)} />
          ))}
        </span>
      </Tile>
      <Tile name="models" value={formatCount(models.length)}>
        {served === models.length ? 'all have a backend' : `${models.length - served} without a backend`}
      </Tile>
      <Tile name="in flight" value={formatCount(traffic.in_flight)}>
        {formatCount(traffic.waiting)} waiting
      </Tile>
      <Tile name="requests per second" value={rates === undefined ? nothing : formatRate(rates.requests)}>
        {rates === undefined ? '' : `${formatRate(rates.failed)} failed`}
      </Tile>
      <Tile name="output tokens per second" value={rates === undefined ? nothing : formatRate(rates.output_tokens)}>
        {rates === undefined ? '' : `${formatRate(rates.input_tokens)} input`}
      </Tile>
    </dl>
  );
}

interface TileProps {
  readonly name: string;
  readonly value: string;
  readonly children: ComponentChildren;
}

function Tile({ name, value, children }: TileProps) {
  return (
    <div class="tile">
      <dt>{name}</dt>
      <dd class="value">{value}</dd>
      <dd class="more">{children}</dd>
    </div>
  );
}

/** The worst first. */
function countStates(backends: readonly BackendReport[]): readonly (readonly [string, number])[] {
  const counts = new Map<string, number>();
  for (const { state } of backends) counts.set(state, (counts.get(state) ?? 0) + 1);
  return [...counts].toSorted(([a], [b]) => severityOf(b) - severityOf(a));
}
