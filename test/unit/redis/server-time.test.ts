import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ServerTime } from '../../../src/redis/server-time.ts';

describe('the time of a server', () => {
  it('is not known before its first answer', () => {
    expect(new ServerTime().latestAt(5)).toBeUndefined();
  });

  it('is told too late at most by the shortest round trip, and never too early', () => {
    const trip = fc.record({ waitMs: fc.nat(1_000), there: fc.nat(40), back: fc.nat(40) });
    fc.assert(
      fc.property(fc.integer(), fc.array(trip, { minLength: 1, maxLength: 20 }), (offset, trips) => {
        const time = new ServerTime();
        let nowMs = 0;
        for (const { waitMs, there, back } of trips) {
          const sentMs = (nowMs += waitMs);
          nowMs += there + back;
          time.learn({ sentMs, receivedMs: nowMs, serverMs: sentMs + there + offset });
        }
        const told = (time.latestAt(nowMs) ?? Number.NaN) - (nowMs + offset);
        expect(told).toBeGreaterThanOrEqual(0);
        expect(told).toBeLessThanOrEqual(Math.min(...trips.map(({ there, back }) => there + back)));
      }),
    );
  });

  it('follows a clock that has stepped, in either direction, with the next answer', () => {
    const time = new ServerTime();
    time.learn({ sentMs: 0, receivedMs: 2, serverMs: 1_001 });
    expect(time.latestAt(10)).toBe(1_011);
    time.learn({ sentMs: 100, receivedMs: 102, serverMs: 9_000_101 });
    expect(time.latestAt(110)).toBe(9_000_111);
    time.learn({ sentMs: 200, receivedMs: 202, serverMs: 201 });
    expect(time.latestAt(210)).toBe(211);
  });
});
