// What is told apart in the metrics: the fewer series, the less there is to scrape and to keep.
import { z } from 'zod';
import type { MetricsSettings } from '../fleet/metrics-settings.ts';
import { metricsDefaults } from './defaults.ts';
import { flag, number } from './leaves.ts';
import { present } from './present.ts';

export const metrics = z.strictObject({
  tenants: flag.optional(),
  genai_names: flag.optional(),
  max_models: number(z.int().min(1).max(10_000)).optional(),
});

export function decodeMetrics(entry: z.output<typeof metrics> = {}): MetricsSettings {
  const { tenants, genai_names: genaiNames, max_models: maxModels } = entry;
  return { ...metricsDefaults, ...present({ tenants, genaiNames, maxModels }) };
}
