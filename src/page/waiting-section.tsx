// The waiting rooms: one for each model, those with somebody in them first.
import type { ModelReport } from '../fleet/report.ts';
import { formatAge, formatMany } from './format.ts';
import { Meter } from './marks.tsx';
import { Cell, Nothing, RowHead, Section, Table } from './section.tsx';

export function WaitingSection({ models }: { readonly models: readonly ModelReport[] }) {
  const taken = models
    .filter(({ queue }) => queue.length > 0)
    .toSorted((a, b) => b.queue.length / b.queue.max_length - a.queue.length / a.queue.max_length);
  const free = models.length - taken.length;
  return (
    <Section id="waiting" title="Waiting rooms" note={`${formatMany(free, 'model')} without anybody waiting`}>
      {taken.length === 0 ? (
        <Nothing>Nobody waits for a backend.</Nothing>
      ) : (
        <Table label="waiting rooms" heads={['model', 'waiting', 'at most']}>
          {taken.map(({ name, queue }) => (
            <tr key={name} role="row">
              <RowHead>
                <span class="name">{name}</span>
              </RowHead>
              <Cell head="waiting" class="wide">
                <Meter used={queue.length} allowed={queue.max_length} />
              </Cell>
              <Cell head="at most">{formatAge(queue.max_wait_seconds)}</Cell>
            </tr>
          ))}
        </Table>
      )}
    </Section>
  );
}
