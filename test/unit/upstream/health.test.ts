import { describe, expect, it } from 'vitest';
import type { Health } from '../../../src/engines/engine.ts';
import { trackHealth } from '../../../src/upstream/health.ts';

function shown(readings: readonly Health[], upAfter = 2, downAfter = 3): readonly Health[] {
  const track = trackHealth(() => ({ upAfter, downAfter }));
  return readings.map((reading) => track.next(reading));
}

describe('the health shown', () => {
  it('is decided by the first probe', () => {
    expect(shown(['up'])).toEqual(['up']);
    expect(shown(['down'])).toEqual(['down']);
  });

  it('turns down only after three misses in a row', () => {
    expect(shown(['up', 'down', 'down', 'up', 'down', 'down', 'down'])).toEqual([
      'up',
      'up',
      'up',
      'up',
      'up',
      'up',
      'down',
    ]);
  });

  it('turns up again only after two good probes in a row', () => {
    expect(shown(['down', 'up', 'down', 'up', 'up'])).toEqual(['down', 'down', 'down', 'down', 'up']);
  });

  it("follows the engine's own word at once", () => {
    expect(shown(['up', 'loading', 'up', 'asleep', 'up', 'misconfigured', 'up'])).toEqual([
      'up',
      'loading',
      'up',
      'asleep',
      'up',
      'misconfigured',
      'up',
    ]);
  });
});
