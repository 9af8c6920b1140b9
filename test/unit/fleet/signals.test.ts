import { describe, expect, it } from 'vitest';
import { noSignals, reportedLoad } from '../../../src/fleet/signals.ts';

const reading = { running: 3, waiting: 1, kvUsage: 0.5 };

describe('the load that an engine reports', () => {
  it('counts until three readings are missing', () => {
    const signals = { ...noSignals(), load: { reading, atMs: 1_000, everyMs: 2_000 } };
    expect(reportedLoad(signals, 7_000)).toEqual(reading);
    expect(reportedLoad(signals, 7_001)).toBeUndefined();
  });

  it('is nothing where it never has', () => {
    expect(reportedLoad(noSignals(), 0)).toBeUndefined();
  });
});
