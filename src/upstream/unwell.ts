// What a probe has found wrong, in a few words for people; never text that a backend sent.
import type { Probed } from './probe.ts';

export function problemOf(probed: Probed, path: string): string | undefined {
  if ('failure' in probed) return probed.problem;
  return probed.answer.status >= 400 ? `HTTP ${probed.answer.status} at ${path}` : undefined;
}

/** Of those whose answers were in order, as far as HTTP goes. */
export const unwell = {
  up: undefined,
  down: 'says that it is not well',
  loading: 'loads a model',
  asleep: 'is asleep',
  misconfigured: 'refuses our key',
} as const;
