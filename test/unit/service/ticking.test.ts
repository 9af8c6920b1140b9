import { describe, expect, it } from 'vitest';
import type { FleetReport } from '../../../src/fleet/report.ts';
import { withoutTicking } from '../../../src/http/admin-reads.ts';
import { aModel, aReport } from '../../support/a-report.ts';

const history = { every_seconds: 5, requests: [0], failed: [0], input_tokens: [0], output_tokens: [0] };
const { traffic } = aReport();
const report = aReport({ traffic: { ...traffic, history } });
const modelWith = (why: string) =>
  aModel({ members: [{ backend: 'a', name: 'm', weight: 1, context: null, usable: false, circuit: 'open', why }] });
const tagged = (changes: Partial<FleetReport>) => withoutTicking({ ...report, ...changes });

describe('what tells one report of the fleet from the next', () => {
  it('is not the clock, its history, or how long something still lasts', () => {
    const moved = { ...report.traffic, history: { ...history, requests: [7] } };
    expect(tagged({ now: '2030-01-01T00:00:09.000Z', traffic: moved })).toBe(tagged({}));
    for (const words of ['circuit open, tried again in', 'busy for'])
      expect(tagged({ models: [modelWith(`${words} 4 s`)] })).toBe(tagged({ models: [modelWith(`${words} 13 s`)] }));
  });

  it('is everything else', () => {
    const others: readonly Partial<FleetReport>[] = [
      { phase: 'stopping' },
      { attention: ['x'] },
      { traffic: { ...report.traffic, requests: 2 } },
      { models: [modelWith('down')] },
      { models: [modelWith('busy for 4 s')] },
    ];
    expect(new Set([report, ...others].map(tagged)).size).toBe(6);
  });
});
