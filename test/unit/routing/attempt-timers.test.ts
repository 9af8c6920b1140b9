import { describe, expect, it } from 'vitest';
import { Silence } from '../../../src/fleet/silence.ts';
import { AttemptTimers } from '../../../src/routing/attempt-timers.ts';
import { fakeClock } from '../../support/fake-clock.ts';

function started() {
  const clock = fakeClock();
  const startMs = clock.now();
  const expired: string[] = [];
  const silence = new Silence({ clock, stallAfterMs: 0, changed: () => {} });
  const timers: AttemptTimers = new AttemptTimers(clock, silence, (limit, ms) => {
    expired.push(`${limit} ${ms} at ${clock.now() - startMs}`);
    timers.cancel();
  });
  return { clock, timers, expired };
}

describe('the time limits of an attempt', () => {
  it('end it exactly when the phase it is in is over, though the timer was set for an earlier one', () => {
    const { clock, timers, expired } = started();
    timers.deadline(60_000, 60_000);
    timers.phase('connect_timeout', 2_000);
    clock.advance(500);
    timers.phase('first_byte_timeout', 10_000);
    clock.advance(9_999);
    expect(expired).toEqual([]);
    clock.advance(1);
    expect(expired).toEqual(['first_byte_timeout 10000 at 10500']);
    expect(clock.waiting).toBe(0);
  });

  it('are kept where a phase is shorter than the time that is left of the one before', () => {
    const { clock, timers, expired } = started();
    timers.deadline(60_000, 60_000);
    timers.phase('first_byte_timeout', 30_000);
    clock.advance(1_000);
    timers.watchGaps(5_000);
    clock.advance(4_000);
    timers.progressed();
    clock.advance(4_999);
    expect(expired).toEqual([]);
    clock.advance(1);
    expect(expired).toEqual(['gap_timeout 5000 at 10000']);
  });

  it('do not count the time in which the caller held it up as a gap', () => {
    const { clock, timers, expired } = started();
    timers.deadline(60_000, 60_000);
    timers.watchGaps(5_000);
    timers.hold();
    clock.advance(20_000);
    timers.goOn();
    clock.advance(4_999);
    expect(expired).toEqual([]);
    clock.advance(1);
    expect(expired).toEqual(['gap_timeout 5000 at 25000']);
  });

  it('end it at the deadline of its exchange, whatever it is doing', () => {
    const { clock, timers, expired } = started();
    timers.deadline(7_000, 9_000);
    timers.watchGaps(5_000);
    for (let second = 1; second < 7; second++) {
      clock.advance(1_000);
      timers.progressed();
    }
    clock.advance(1_000);
    expect(expired).toEqual(['total_timeout 9000 at 7000']);
  });

  it('take one timer together, and none once it has ended', () => {
    const { clock, timers } = started();
    timers.deadline(60_000, 60_000);
    timers.phase('connect_timeout', 2_000);
    timers.phase('first_byte_timeout', 10_000);
    timers.watchGaps(5_000);
    expect(clock.waiting).toBe(1);
    timers.cancel();
    expect(clock.waiting).toBe(0);
  });
});
