// Words with a mark in front whose shape says the same as its colour, and bars with their number beside.
import { formatCount, formatShare, nothing } from './format.ts';
import { type Tone, toneOf } from './tone.ts';

const shapes: Readonly<Record<Tone, string>> = {
  good: 'M8 2.5a5.5 5.5 0 1 0 0 11a5.5 5.5 0 1 0 0-11z',
  bad: 'M3.4 1.6 8 6.2l4.6-4.6 1.8 1.8L9.8 8l4.6 4.6-1.8 1.8L8 9.8l-4.6 4.6-1.8-1.8L6.2 8 1.6 3.4z',
  warning: 'M8 1.5 15 14H1z',
  away: 'M4 3h3v10H4zM9 3h3v10H9z',
  unknown: 'M8 2a6 6 0 1 0 0 12A6 6 0 1 0 8 2zm0 2.4a3.6 3.6 0 1 1 0 7.2a3.6 3.6 0 1 1 0-7.2z',
};

export function Mark({ tone }: { readonly tone: Tone }) {
  return (
    <svg class={`mark ${tone}`} viewBox="0 0 16 16" width="11" height="11" aria-hidden="true">
      <path d={shapes[tone]} fill-rule="evenodd" />
    </svg>
  );
}

export interface WordProps {
  readonly word: string;
  /** What the word means by itself, unless said. */
  readonly tone?: Tone;
}

export function Word({ word, tone = toneOf(word) }: WordProps) {
  return (
    <span class={`word ${tone}`}>
      <Mark tone={tone} />
      {word}
    </span>
  );
}

export interface MeterProps {
  readonly used: number | null;
  /** Null: no bound, so no bar. */
  readonly allowed: number | null;
  /** Shown as a share instead of a pair. */
  readonly asShare?: boolean;
}

export function Meter({ used, allowed, asShare = false }: MeterProps) {
  if (used === null) return <span class="faint">{nothing}</span>;
  const share = allowed === null ? undefined : allowed === 0 ? 1 : Math.min(1, Math.max(0, used / allowed));
  return (
    <span class="meter">
      <span class="amount">
        {asShare ? formatShare(used) : formatCount(used)}
        {!asShare && allowed !== null && <span class="faint"> / {formatCount(allowed)}</span>}
      </span>
      {share !== undefined && (
        <span class={`bar ${share >= 1 ? 'full' : share >= 0.8 ? 'high' : ''}`} aria-hidden="true">
          <span style={{ width: `${share * 100}%` }} />
        </span>
      )}
    </span>
  );
}
