import { describe, expect, it } from 'vitest';
import { Patience } from '../../../src/routing/patience.ts';
import { fakeClock } from '../../support/fake-clock.ts';
import { FakeCaller } from '../../support/fake-delivery.ts';

function waiting() {
  const clock = fakeClock();
  const caller = new FakeCaller();
  return { clock, caller, patience: new Patience(clock, caller) };
}

describe('a caller that waits', () => {
  it('is told after the time given, and then again and again, as things stand then', () => {
    const { clock, caller, patience } = waiting();
    let n = 0;
    patience.tell(() => `n=${++n}`, { firstMs: 15_000, everyMs: 5_000 });
    clock.advance(14_999);
    expect([caller.opened, patience.spoke, caller.text]).toEqual([false, false, '']);
    clock.advance(1);
    expect([caller.opened, patience.spoke, caller.committed]).toEqual([true, true, false]);
    clock.advance(5_000);
    expect(caller.text).toBe(': n=1\n\n: n=2\n\n');
    patience.end();
    expect(clock.waiting).toBe(0);
  });

  it('is told at once where no time is given', () => {
    const { clock, caller, patience } = waiting();
    patience.tell(() => 'now', { firstMs: 0, everyMs: 5_000 });
    expect(caller.text).toBe(': now\n\n');
    patience.end();
    patience.end();
    expect(clock.waiting).toBe(0);
  });

  it('is told the newer thing only', () => {
    const { clock, caller, patience } = waiting();
    patience.tell(() => 'old', { firstMs: 1_000, everyMs: 1_000 });
    patience.tell(() => 'new', { firstMs: 1_000, everyMs: 1_000 });
    clock.advance(2_000);
    expect(caller.text).toBe(': new\n\n: new\n\n');
    patience.end();
    clock.advance(10_000);
    expect([caller.text, clock.waiting]).toEqual([': new\n\n: new\n\n', 0]);
  });
});
