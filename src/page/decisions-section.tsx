// Where requests went, and why: each decision opens to all its candidates, the excluded ones last.
import { useMemo } from 'preact/hooks';
import type { CandidateReport, DecisionReport } from '../fleet/report.ts';
import { Ago } from './ago.tsx';
import { formatMs, nothing } from './format.ts';
import { Meter, Word } from './marks.tsx';
import { Cell, Nothing, RowHead, Section, Table } from './section.tsx';
import type { Tone } from './tone.ts';

export function DecisionsSection({ decisions }: { readonly decisions: readonly DecisionReport[] }) {
  return (
    <Section id="decisions" title="Decisions" note="newest first, a sample">
      {decisions.length === 0 ? (
        <Nothing>Nothing was asked yet.</Nothing>
      ) : (
        <div class="frame tall list" role="region" aria-label="decisions" tabIndex={0}>
          {decisions.map((decision) => (
            <Decision key={`${decision.request_id} ${decision.attempt}`} decision={decision} />
          ))}
        </div>
      )}
    </Section>
  );
}

function Decision({ decision }: { readonly decision: DecisionReport }) {
  const { explanation } = decision;
  return useMemo(
    () => (
      <details class="decision">
        <summary>
          <span class="when">
            <Ago at={decision.at} />
          </span>
          <span class="route">
            <span class="name">{explanation.model}</span> →{' '}
            {explanation.winner === null ? (
              <Word word="nobody" tone="bad" />
            ) : (
              <span class="name">{explanation.winner}</span>
            )}
          </span>
          <span class="why">{explanation.why}</span>
        </summary>
        <p class="facts">
          {factsOf(decision).map(([name, value]) => (
            <span key={name}>
              <span class="faint">{name}</span> {value}
            </span>
          ))}
        </p>
        <Table
          label={`candidates of ${decision.request_id}`}
          heads={['candidate', 'verdict', 'why', 'score', 'in flight', 'weight']}
        >
          {explanation.candidates.map((candidate) => (
            <Candidate key={candidate.backend} candidate={candidate} />
          ))}
        </Table>
      </details>
    ),
    [decision],
  );
}

function factsOf(decision: DecisionReport): readonly (readonly [string, string])[] {
  return [
    ['request', decision.request_id],
    ['attempt', String(decision.attempt)],
    ['endpoint', decision.explanation.endpoint],
    ['policy', decision.explanation.policy],
    ['queued', formatMs(decision.queued_ms)],
  ];
}

const toneOfVerdict: Readonly<Record<CandidateReport['verdict'], Tone>> = {
  winner: 'good',
  next: 'unknown',
  full: 'warning',
  excluded: 'bad',
};

function Candidate({ candidate }: { readonly candidate: CandidateReport }) {
  return (
    <tr role="row">
      <RowHead>{candidate.backend}</RowHead>
      <Cell head="verdict">
        <Word word={candidate.verdict} tone={toneOfVerdict[candidate.verdict]} />
      </Cell>
      <Cell head="why">{candidate.why ?? nothing}</Cell>
      <Cell head="score" class="number">
        {candidate.score === null ? nothing : Number(candidate.score.toPrecision(4))}
      </Cell>
      <Cell head="in flight">
        <Meter used={candidate.in_flight} allowed={candidate.max_in_flight} />
      </Cell>
      <Cell head="weight" class="number">
        {candidate.weight}
      </Cell>
    </tr>
  );
}
