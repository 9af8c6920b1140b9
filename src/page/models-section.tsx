// The models: who serves each, what they can do, and what is asked instead when nobody can.
import { useMemo } from 'preact/hooks';
import type { MemberReport, ModelReport } from '../fleet/report.ts';
import { formatCount, formatMany, nothing } from './format.ts';
import { Mark, Word } from './marks.tsx';
import { Cell, Nothing, RowHead, Section, Table } from './section.tsx';
import type { Tone } from './tone.ts';

const heads = ['name', 'available', 'capabilities', 'context', 'policy', 'fallback'];

export function ModelsSection({ models }: { readonly models: readonly ModelReport[] }) {
  return (
    <Section id="models" title="Models" note={formatMany(models.length, 'model')}>
      {models.length === 0 ? (
        <Nothing>No backend has told of a model.</Nothing>
      ) : (
        <Table label="models" heads={heads}>
          {models.map((model) => (
            <ModelRow key={model.name} model={model} />
          ))}
        </Table>
      )}
    </Section>
  );
}

function ModelRow({ model }: { readonly model: ModelReport }) {
  return useMemo(
    () => (
      <tr role="row">
        <RowHead>
          <span class="name">{model.name}</span>
          {model.aliases.length > 0 && <span class="under">also {model.aliases.join(', ')}</span>}
        </RowHead>
        <Cell head="available">
          <details>
            <summary>
              <Mark tone={toneOfModel(model)} /> {model.available} of {formatMany(model.members.length, 'member')}
            </summary>
            <ul class="members">
              {model.members.map((member) => (
                <Member key={member.backend} member={member} model={model.name} />
              ))}
            </ul>
          </details>
          {model.panic && <span class="under problem">panic: so many are out that all are tried</span>}
        </Cell>
        <Cell head="capabilities">
          <ul class="chips">
            {Object.entries(model.capabilities).map(([name, can]) => (
              <li key={name} class={can ? '' : 'cannot'}>
                {can ? name : `no ${name}`}
              </li>
            ))}
          </ul>
        </Cell>
        <Cell head="context" class="number">
          {model.context === null ? nothing : formatCount(model.context)}
        </Cell>
        <Cell head="policy" class="policy">
          {model.policy}
        </Cell>
        <Cell head="fallback">
          <Fallback fallback={model.fallback} />
        </Cell>
      </tr>
    ),
    [model],
  );
}

function Member({ member, model }: { readonly member: MemberReport; readonly model: string }) {
  const notes = [
    member.name === model ? '' : `as ${member.name}`,
    member.weight === 1 ? '' : `weight ${member.weight}`,
    member.context === null ? '' : `context ${formatCount(member.context)}`,
    member.usable || member.circuit === 'closed' ? '' : `circuit ${member.circuit}`,
    member.why ?? '',
  ];
  return (
    <li>
      <Word word={member.backend} tone={member.usable ? (member.circuit === 'closed' ? 'good' : 'warning') : 'bad'} />{' '}
      <span class="faint">
        {member.usable ? '' : 'not usable: '}
        {notes.filter((note) => note !== '').join(' · ')}
      </span>
    </li>
  );
}

function Fallback({ fallback }: Pick<ModelReport, 'fallback'>) {
  const { no_backend: gone, overloaded } = fallback;
  if (gone.length + overloaded.length === 0) return <span class="faint">{nothing}</span>;
  if (gone.join('\n') === overloaded.join('\n')) return <>{gone.join(', ')}</>;
  return (
    <>
      {gone.length > 0 && <span class="line">no_backend: {gone.join(', ')}</span>}
      {overloaded.length > 0 && <span class="line">overloaded: {overloaded.join(', ')}</span>}
    </>
  );
}

function toneOfModel({ available, members }: ModelReport): Tone {
  if (available === 0) return 'bad';
  return available < members.length ? 'warning' : 'good';
}
