import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { metricsTable } from '../../../src/metrics/reference.ts';
import { readme, withMetrics } from '../../docs/readme.ts';

describe('the table of metrics', () => {
  it('stands in the README as `npm run docs:metrics` writes it', () => {
    const text = readFileSync(readme, 'utf8');
    expect(text).toBe(withMetrics(text));
  });

  it('tells the type, the labels and the meaning of every one', () => {
    const [, , ...rows] = metricsTable().split('\n');
    expect(rows.length).toBeGreaterThan(55);
    for (const row of rows)
      expect(row).toMatch(/^\| `(switchyard|gen_ai)_\w+` \| (counter|gauge|histogram) \| (`\w+` ?)* ?\| [^|]{4,} \|$/);
  });
});
