import { describe, expect, it } from 'vitest';
import { Shard } from '../../../src/redis/shard.ts';
import { fakeClock } from '../../support/fake-clock.ts';

function setting(replicas = 1) {
  const clock = fakeClock();
  const shard = new Shard({ clock, changed: () => {}, tenant: undefined, replicasKey: 'replicas', replicas });
  shard.gate.open();
  return { clock, shard };
}

describe('how many replicas there are', () => {
  it('is what was heard, at once when there are more', () => {
    const { shard } = setting();
    shard.heard(2);
    shard.heard(4);
    expect(shard.replicas).toBe(4);
  });

  it('is not believed to be less right after an outage, in which they are heard of one by one', () => {
    const { clock, shard } = setting();
    shard.heard(4);
    clock.advance(60_000);
    shard.gate.lost();
    shard.gate.open();
    for (const alive of [1, 2, 3]) shard.heard(alive);
    expect(shard.replicas).toBe(4);
    clock.advance(10_000);
    shard.heard(3);
    expect(shard.replicas).toBe(3);
  });

  it('is never less than the fleet file says', () => {
    const { clock, shard } = setting(3);
    expect(shard.replicas).toBe(3);
    clock.advance(60_000);
    shard.heard(1);
    expect(shard.replicas).toBe(3);
  });
});
