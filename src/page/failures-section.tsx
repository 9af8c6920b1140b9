// What failed lately. An attempt is one that another backend was asked after.
import { useMemo } from 'preact/hooks';
import type { FailureReport } from '../fleet/report.ts';
import { Ago } from './ago.tsx';
import { nothing } from './format.ts';
import { Word } from './marks.tsx';
import { Cell, Nothing, RowHead, Section, Table } from './section.tsx';

const heads = ['when', 'error', 'status', 'source', 'model', 'backend', 'tenant', 'request'];

export function FailuresSection({ failures }: { readonly failures: readonly FailureReport[] }) {
  return (
    <Section id="failures" title="Failures" note="newest first">
      {failures.length === 0 ? (
        <Nothing>None lately.</Nothing>
      ) : (
        <Table label="failures" heads={heads}>
          {failures.map((failure) => (
            <Failure key={`${failure.request_id} ${failure.at} ${failure.backend}`} failure={failure} />
          ))}
        </Table>
      )}
    </Section>
  );
}

function Failure({ failure }: { readonly failure: FailureReport }) {
  return useMemo(
    () => (
      <tr role="row">
        <RowHead>
          <Ago at={failure.at} />
        </RowHead>
        <Cell head="error">
          <Word word={failure.error} tone={failure.kind === 'request' ? 'bad' : 'warning'} />
          <span class="under">{failure.kind === 'request' ? 'the request failed' : 'an attempt, then another'}</span>
        </Cell>
        <Cell head="status" class="number">
          {failure.status === 0 ? nothing : failure.status}
        </Cell>
        <Cell head="source">{failure.source}</Cell>
        <Cell head="model">{failure.model ?? nothing}</Cell>
        <Cell head="backend">{failure.backend ?? nothing}</Cell>
        <Cell head="tenant">{failure.tenant}</Cell>
        <Cell head="request" class="id">
          {failure.request_id}
        </Cell>
      </tr>
    ),
    [failure],
  );
}
