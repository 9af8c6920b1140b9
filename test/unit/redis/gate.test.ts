import { describe, expect, it } from 'vitest';
import { Gate } from '../../../src/redis/gate.ts';
import { fakeClock } from '../../support/fake-clock.ts';

function setting() {
  const clock = fakeClock();
  const changes: string[] = [];
  const gate = new Gate({ clock, changed: (open, reason) => changes.push(open ? 'open' : `closed: ${reason}`) });
  const miss = (times: number) => {
    for (let n = 0; n < times; n++) gate.miss('timeout');
  };
  /** A beat a second, each of which succeeds; how long until it opens. */
  const msUntilOpen = () => {
    let waitedMs = 0;
    while (!gate.mayOpen) {
      clock.advance(100);
      waitedMs += 100;
    }
    gate.open();
    return waitedMs;
  };
  return { clock, gate, changes, miss, msUntilOpen };
}

describe('the gate in front of Redis', () => {
  it('is closed until the first beat', () => {
    const { gate, changes } = setting();
    expect([gate.isOpen, gate.mayOpen]).toEqual([false, true]);
    gate.open();
    expect([gate.isOpen, gate.mayOpen, changes]).toEqual([true, false, ['open']]);
  });

  it('closes after five misses in a row, and says so once', () => {
    const { gate, changes, miss } = setting();
    gate.open();
    miss(4);
    gate.hit();
    miss(4);
    expect(gate.isOpen).toBe(true);
    miss(50);
    expect([gate.isOpen, changes]).toEqual([false, ['open', 'closed: timeout']]);
  });

  it('opens again after a second at the earliest', () => {
    const { gate, miss, msUntilOpen, clock } = setting();
    gate.open();
    clock.advance(60_000);
    miss(5);
    expect(msUntilOpen()).toBe(1_000);
  });

  it('waits twice as long after each relapse, at most ten seconds, and forgets after ten good ones', () => {
    const { gate, miss, msUntilOpen, clock } = setting();
    gate.open();
    clock.advance(60_000);
    const pauses: number[] = [];
    for (let n = 0; n < 6; n++) {
      miss(5);
      pauses.push(msUntilOpen());
    }
    expect(pauses).toEqual([1_000, 2_000, 4_000, 8_000, 10_000, 10_000]);
    clock.advance(10_000);
    miss(5);
    expect(msUntilOpen()).toBe(1_000);
  });

  it('closes at once when the connection is lost, and opens at once when it is back', () => {
    const { gate, changes } = setting();
    gate.lost();
    gate.open();
    gate.lost();
    gate.lost();
    expect([gate.mayOpen, changes]).toEqual([true, ['open', 'closed: connection']]);
  });

  it('does not trust a connection that is lost again and again', () => {
    const { gate, msUntilOpen } = setting();
    gate.open();
    const pauses: number[] = [];
    for (let n = 0; n < 4; n++) {
      gate.lost();
      pauses.push(msUntilOpen());
    }
    expect(pauses).toEqual([0, 1_000, 2_000, 4_000]);
  });
});
