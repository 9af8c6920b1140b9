// How a word is meant: good, bad, something to look at, or out of rotation because somebody wants it so. Colour and shape
// of the marks follow it; the words stay those of the report.
import type { BackendReport } from '../fleet/report.ts';

export const tones = ['good', 'away', 'unknown', 'warning', 'bad'] as const;
export type Tone = (typeof tones)[number];

const ofWords: Readonly<Record<string, Tone>> = {
  up: 'good',
  closed: 'good',
  ready: 'good',
  usable: 'good',
  draining: 'away',
  disabled: 'away',
  unknown: 'unknown',
  starting: 'unknown',
  loading: 'warning',
  asleep: 'warning',
  stalled: 'warning',
  half_open: 'warning',
  stopping: 'warning',
  closing: 'warning',
  down: 'bad',
  ejected: 'bad',
  misconfigured: 'bad',
  open: 'bad',
};

/** A word that is not known here must not look harmless. */
export function toneOf(word: string): Tone {
  return Object.hasOwn(ofWords, word) ? (ofWords[word] ?? 'warning') : 'warning';
}

/** Larger is worse. */
export function severityOf(word: string): number {
  return tones.indexOf(toneOf(word));
}

/** What somebody has taken out on purpose is no trouble; what was not asked yet is not either. */
export function isInTrouble({ state, circuit }: BackendReport): boolean {
  if (toneOf(state) === 'away') return false;
  return [state, circuit].some((word) => ['bad', 'warning'].includes(toneOf(word)));
}
