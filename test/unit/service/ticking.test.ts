import { describe, expect, it } from 'vitest';
import type { FleetReport } from '../../../src/fleet/report.ts';
import { withoutTicking } from '../../../src/http/admin-reads.ts';

const history = { every_seconds: 5, requests: [0], failed: [0], input_tokens: [0], output_tokens: [0] };
const report: FleetReport = {
  switchyard: { version: '1', node: 'v24', started_at: '2030-01-01T00:00:00.000Z' },
  now: '2030-01-01T00:00:01.000Z',
  phase: 'ready',
  attention: [],
  config: { source: 'f', hash: 'h', loaded_at: '2030-01-01T00:00:00.000Z', refused: null },
  shared_state: null,
  traffic: { requests: 1, failed: 0, input_tokens: 0, output_tokens: 0, in_flight: 0, waiting: 0, history },
  backends: [],
  models: [],
  tenants: [],
  failures: [],
  decisions: [],
};
const modelWith = (why: string): FleetReport['models'][number] => ({
  name: 'm',
  aliases: [],
  policy: 'least-connections',
  capabilities: {},
  context: null,
  members: [{ backend: 'a', name: 'm', weight: 1, context: null, usable: false, circuit: 'open', why }],
  available: 0,
  panic: false,
  queue: { length: 0, max_length: 0, max_wait_seconds: 1 },
  fallback: { no_backend: [], overloaded: [] },
});
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
