// What an appraisal says, for people: `0.35 s to the first token (0.1 s behind others), 5.1 s to write, …`.
import type { Appraisal } from './cost.ts';

export function inWords({ terms, cachedTokens }: Appraisal, promptTokens: number): string {
  const { ttft, wait, slots, decode, others, displaced, memory, late } = terms;
  const behind = wait + slots;
  const parts = [
    `${seconds(ttft)} to the first token${behind < shown ? '' : ` (${seconds(behind)} behind others)`}`,
    `${seconds(decode)} to write`,
  ];
  if (others >= shown) parts.push(`${seconds(others)} for those that run there`);
  if (displaced >= shown) parts.push(`${seconds(displaced)} for what its cache loses`);
  if (memory >= shown) parts.push(`${seconds(memory)} for room in its cache`);
  if (late >= shown) parts.push(`${seconds(late)} for being late`);
  const holds = Math.round(cachedTokens);
  return holds === 0 ? parts.join(', ') : `${parts.join(', ')}; holds ${holds} of ${Math.round(promptTokens)} tokens`;
}

/** What is shown as 0 need not be. */
const shown = 0.005;

function seconds(value: number): string {
  return `${Number(value.toPrecision(2))} s`;
}
