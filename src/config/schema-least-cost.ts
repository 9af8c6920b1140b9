// Options of the policy `least-cost`.
import { z } from 'zod';
import { leastCostDefaults, type LeastCostSettings } from '../fleet/least-cost-settings.ts';
import { flag, number } from './leaves.ts';
import { present } from './present.ts';
import { positive } from './schema-values.ts';

export const leastCost = z.strictObject({
  prefix: flag.optional(),
  index_entries: number(z.int().min(1_024).max(16_777_216)).optional(),
  ttft_objective: positive.optional(),
  full_scan: number(z.int().min(1).max(1_024)).optional(),
});

export function decodeLeastCost(entry: z.output<typeof leastCost> = {}): LeastCostSettings {
  const { prefix, index_entries: indexEntries, ttft_objective: ttftObjectiveMs, full_scan: fullScan } = entry;
  return { ...leastCostDefaults, ...present({ prefix, indexEntries, ttftObjectiveMs, fullScan }) };
}
