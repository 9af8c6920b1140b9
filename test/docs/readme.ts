// The part of the README that is generated: the table of metrics, between two markers.
import { metricsTable } from '../../src/metrics/reference.ts';

export const readme = new URL('../../README.md', import.meta.url);

const begin = '<!-- metrics: made by npm run docs:metrics -->';
const end = '<!-- /metrics -->';

/** The text with its table as it has to be. */
export function withMetrics(text: string): string {
  const from = text.indexOf(begin);
  const to = text.indexOf(end);
  if (from === -1 || to < from) throw new Error(`README.md has lost its markers ${begin} and ${end}`);
  return `${text.slice(0, from + begin.length)}\n\n${metricsTable()}\n\n${text.slice(to)}`;
}
