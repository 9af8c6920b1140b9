// One backend of the fleet table. Drawn anew only when something of it has changed.
import { useMemo } from 'preact/hooks';
import type { BackendReport } from '../fleet/report.ts';
import { Ago } from './ago.tsx';
import type { Command } from './actions.ts';
import { formatCount, formatMs, formatShare, nothing } from './format.ts';
import { Meter, Word } from './marks.tsx';
import { Cell, RowHead } from './section.tsx';
import { isInTrouble, toneOf } from './tone.ts';

export interface BackendRowProps {
  readonly backend: BackendReport;
  /** Of all attempts of the fleet; null before the first. */
  readonly share: number | null;
  readonly command: (command: Command) => void;
}

export function BackendRow({ backend, share, command }: BackendRowProps) {
  const shownShare = share === null ? nothing : formatShare(share);
  return useMemo(
    () => (
      <tr role="row" class={classOf(backend)}>
        <RowHead>
          <span class="name">{backend.name}</span>
          <span class="under" title={backend.url ?? ''}>
            {whatItIs(backend)}
          </span>
        </RowHead>
        <Cell head="state" class="state">
          <Word word={backend.state} />
          {backend.problem !== null && <span class="under problem">{backend.problem}</span>}
        </Cell>
        <Cell head="circuit">
          {backend.circuit === 'closed' ? <span class="faint">closed</span> : <Word word={backend.circuit} />}
        </Cell>
        <Cell head="in flight">
          <Meter used={backend.in_flight} allowed={backend.max_in_flight} />
        </Cell>
        <Cell head="waiting" class="number">
          {backend.waiting === null ? nothing : formatCount(backend.waiting)}
        </Cell>
        <Cell head="KV">
          <Meter used={backend.kv_cache} allowed={1} asShare />
        </Cell>
        <Cell head="TTFT p95" class="number">
          {formatMs(backend.ttft_p95_ms)}
        </Cell>
        <Cell head="attempts" class="number">
          {formatCount(backend.attempts)}
          <span class="under">{shownShare}</span>
        </Cell>
        <Cell head="failed" class="number">
          {formatCount(backend.failed)}
          {backend.failed > 0 && <span class="under">{formatShare(backend.failed / backend.attempts)}</span>}
        </Cell>
        <Cell head="last change" class="change">
          {backend.last_change === null ? (
            nothing
          ) : (
            <>
              {backend.last_change.what}
              <span class="under">
                <Ago at={backend.last_change.at} />
              </span>
            </>
          )}
        </Cell>
        <Cell head="action" class="action">
          <DrainButton backend={backend} command={command} />
        </Cell>
      </tr>
    ),
    [backend, shownShare, command],
  );
}

function DrainButton({ backend, command }: Pick<BackendRowProps, 'backend' | 'command'>) {
  const { name, admin_state: state, in_flight: inFlight } = backend;
  if (state === 'disabled') return <span class="faint">in the file</span>;
  const verb = state === 'draining' ? 'undrain' : 'drain';
  return (
    <button type="button" onClick={() => command({ verb, backend: name, inFlight })}>
      {verb}
      <span class="hidden"> {name}</span>
    </button>
  );
}

function classOf(backend: BackendReport): string {
  if (!isInTrouble(backend)) return '';
  return [backend.state, backend.circuit].some((word) => toneOf(word) === 'bad') ? 'trouble worst' : 'trouble';
}

function whatItIs({ engine, weight, models }: BackendReport): string {
  const served = models.length > 2 ? `${models.length} models` : models.join(', ');
  return [engine, weight === 1 ? '' : `weight ${weight}`, served].filter((part) => part !== '').join(' · ');
}
