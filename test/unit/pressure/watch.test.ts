import { describe, expect, it } from 'vitest';
import { Overload } from '../../../src/admission/overload.ts';
import { overloadDefaults } from '../../../src/config/defaults.ts';
import { connectionsWithin, softLimitIn } from '../../../src/pressure/descriptors.ts';
import { PressureWatch, type Readings, usedHeap } from '../../../src/pressure/watch.ts';
import { fakeClock } from '../../support/fake-clock.ts';

function watching(readings: Partial<Readings> = {}) {
  const clock = fakeClock();
  const overload = new Overload(() => {});
  const watch = new PressureWatch({
    clock,
    overload,
    limits: overloadDefaults,
    readings: { heap: () => 0, openFiles: () => undefined, buffered: () => 0, ...readings },
  });
  watch.start();
  return { clock, overload, watch };
}

describe('the watch', () => {
  it('takes what is read against its limits, ten times a second', () => {
    let heap = 0.45;
    const { clock, watch, overload } = watching({ heap: () => heap, openFiles: () => 0.45, buffered: () => 2 ** 29 });
    clock.advance(100);
    expect(watch.loads).toEqual({ event_loop_delay: 0, heap: 0.5, open_files: 0.5, buffered: 0.5 });
    heap = 0.95;
    clock.advance(100);
    expect(overload.shortOf).toBe('heap');
  });

  it('knows nothing of open files where the system tells nothing', () => {
    const { clock, watch } = watching();
    clock.advance(100);
    expect(watch.loads.open_files).toBeUndefined();
  });

  it('takes a late timer for an event loop that was blocked', () => {
    const clock = fakeClock();
    let run = () => {};
    const late = { now: () => clock.now(), after: (_ms: number, then: () => void) => ((run = then), () => {}) };
    const overload = new Overload(() => {});
    const readings = { heap: () => 0, openFiles: () => undefined, buffered: () => 0 };
    const watch = new PressureWatch({ clock: late, overload, limits: overloadDefaults, readings });
    watch.start();
    clock.advance(1_099);
    run();
    expect(overload.shortOf).toBeUndefined();
    clock.advance(1_100);
    run();
    expect(overload.shortOf).toBe('event_loop_delay');
    expect(watch.loads.event_loop_delay).toBe(1);
  });

  it('leaves no timer behind', () => {
    const { clock, watch } = watching();
    clock.advance(1_000);
    watch.stop();
    expect(clock.waiting).toBe(0);
  });

  it('reads a heap that is neither empty nor full', () => {
    expect(usedHeap()).toBeGreaterThan(0);
    expect(usedHeap()).toBeLessThan(1);
  });
});

describe('the descriptors', () => {
  const line = (soft: string) =>
    `Limit                     Soft Limit           Hard Limit           Units     \nMax processes             63432                63432                processes \nMax open files            ${soft.padEnd(20)} 1048576              files     \n`;

  it('are limited as the system says', () => {
    expect(softLimitIn(line('20000'))).toBe(20_000);
    expect(softLimitIn(line('unlimited'))).toBeUndefined();
    expect(softLimitIn('')).toBeUndefined();
  });

  it('are enough for half as many callers, less what the rest needs', () => {
    expect(connectionsWithin(20_000)).toBe(9_500);
    expect(connectionsWithin(1_024)).toBe(256);
  });
});
