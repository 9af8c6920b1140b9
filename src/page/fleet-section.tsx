// The fleet table with its filter and its order.
import type { Ref } from 'preact';
import { useMemo, useState } from 'preact/hooks';
import type { BackendReport } from '../fleet/report.ts';
import type { Command } from './actions.ts';
import { arrange, asInTheFile, type Arrangement, type Column, columns, sortedBy } from './arrange.ts';
import { BackendRow } from './backend-row.tsx';
import { formatMany } from './format.ts';
import { Nothing, Section } from './section.tsx';

export interface FleetSectionProps {
  readonly backends: readonly BackendReport[];
  readonly filterBox: Ref<HTMLInputElement>;
  readonly command: (command: Command) => void;
}

export function FleetSection({ backends, filterBox, command }: FleetSectionProps) {
  const [wanted, setWanted] = useState(asInTheFile);
  const shown = useMemo(() => arrange(backends, wanted), [backends, wanted]);
  const attempts = backends.reduce((sum, backend) => sum + backend.attempts, 0);
  const note = shown.length === backends.length ? '' : `${shown.length} of `;
  return (
    <Section id="fleet" title="Fleet" note={`${note}${formatMany(backends.length, 'backend')}`}>
      <Tools wanted={wanted} setWanted={setWanted} filterBox={filterBox} />
      <div class="frame tall" role="region" aria-label="backends" tabIndex={0}>
        <table role="table" class="fleet" aria-rowcount={shown.length + 1}>
          <thead role="rowgroup">
            <tr role="row">
              {columns.map((column) => (
                <SortHead key={column} column={column} wanted={wanted} setWanted={setWanted} />
              ))}
              <th role="columnheader" scope="col">
                <span class="hidden">action</span>
              </th>
            </tr>
          </thead>
          <tbody role="rowgroup">
            {shown.map((backend) => (
              <BackendRow
                key={backend.name}
                backend={backend}
                share={attempts === 0 ? null : backend.attempts / attempts}
                command={command}
              />
            ))}
          </tbody>
        </table>
        {shown.length === 0 && (
          <Nothing>
            {backends.length === 0 ? 'The fleet file names no backend.' : 'No backend fits the filter.'}
          </Nothing>
        )}
      </div>
    </Section>
  );
}

interface Arranging {
  readonly wanted: Arrangement;
  readonly setWanted: (wanted: Arrangement) => void;
}

function Tools({ wanted, setWanted, filterBox }: Arranging & Pick<FleetSectionProps, 'filterBox'>) {
  return (
    <div class="tools" role="search">
      <label class="filter">
        <span class="hidden">filter backends</span>
        <input
          ref={filterBox}
          type="search"
          placeholder="filter: name, engine, model, state …"
          value={wanted.filter}
          onInput={({ currentTarget }) => setWanted({ ...wanted, filter: currentTarget.value })}
          onKeyDown={(event) => {
            if (event.key === 'Escape') setWanted({ ...wanted, filter: '' });
          }}
        />
        <kbd aria-hidden="true">/</kbd>
      </label>
      <label>
        <input
          type="checkbox"
          checked={wanted.onlyTrouble}
          onChange={({ currentTarget }) => setWanted({ ...wanted, onlyTrouble: currentTarget.checked })}
        />
        only those in trouble
      </label>
      <label class="order">
        order{' '}
        <select
          value={wanted.by ?? ''}
          onChange={({ currentTarget }) => {
            const by = columns.find((column) => column === currentTarget.value);
            setWanted({ ...wanted, by, descending: by !== undefined && by !== 'name' });
          }}
        >
          <option value="">of the file</option>
          {columns.map((column) => (
            <option key={column} value={column}>
              {column}
            </option>
          ))}
        </select>
      </label>
    </div>
  );
}

function SortHead({ column, wanted, setWanted }: Arranging & { readonly column: Column }) {
  const isSorted = wanted.by === column;
  const sort = !isSorted ? 'none' : wanted.descending ? 'descending' : 'ascending';
  return (
    <th role="columnheader" scope="col" aria-sort={sort}>
      <button type="button" class="sort" onClick={() => setWanted(sortedBy(wanted, column))}>
        {column}
        {isSorted && <span aria-hidden="true">{wanted.descending ? ' ↓' : ' ↑'}</span>}
      </button>
    </th>
  );
}
