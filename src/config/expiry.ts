// `expires` of a key: a day, to its end, or a moment with its zone.
import type { Parsed } from './addresses.ts';

const dayMs = 86_400_000;

/** Unix milliseconds. A day counts to its end in UTC. */
export function parseExpiry(text: string): Parsed<number> {
  const isDay = /^\d{4}-\d\d-\d\d$/.test(text);
  const isMoment = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d)$/.test(text);
  const ms = isDay || isMoment ? Date.parse(text) : Number.NaN;
  // Date.parse rolls 31 February over into March.
  const exists = !Number.isNaN(ms) && (!isDay || new Date(ms).toISOString().startsWith(text));
  if (!exists) return { problem: 'expected a date', hint: 'write 2027-06-30 or 2027-06-30T12:00:00Z' };
  return { value: isDay ? ms + dayMs : ms };
}
