// What becomes of limits when Redis does not answer: nobody is told of it by an error, nobody waits for it, the allowance
// is not multiplied, and it is exact again when Redis is back.
import { describe, expect, it } from 'vitest';
import { expectUnharmed } from '../support/redis-trouble.ts';
import { expectAllowance, expectCounted, oneRedis } from './one-redis.ts';

const { liveThrough } = oneRedis();

describe('limits, while Redis', { timeout: 60_000 }, () => {
  it('is killed and starts again empty', async () => {
    const seen = await liveThrough('killed, and back empty', ({ redis }) => ({
      begin: () => redis.kill(),
      lastsMs: 8_000,
      end: () => redis.restart(),
    }));
    expectUnharmed(seen);
    expectAllowance(seen, 1);
    expect(seen.timesLost).toBe(3);
  });

  it('is frozen', async () => {
    const seen = await liveThrough('frozen for 10 s', ({ redis }) => ({
      begin: async () => redis.freeze(),
      lastsMs: 10_000,
      end: async () => redis.thaw(),
    }));
    expectUnharmed(seen);
    expectAllowance(seen, 0);
    expectCounted(seen);
    expect(seen.timesLost).toBe(3);
  });

  it('answers too slowly', async () => {
    const seen = await liveThrough('200 ms away', ({ proxy }) => ({
      begin: async () => {
        proxy.delayMs = 100;
      },
      lastsMs: 8_000,
      end: async () => {
        proxy.delayMs = 0;
      },
    }));
    expectUnharmed(seen);
    expectAllowance(seen, 0);
    expectCounted(seen);
    expect(seen.timesLost).toBe(3);
  });

  it('is behind a network that swallows everything', async () => {
    const seen = await liveThrough('partitioned without a reset', ({ proxy }) => ({
      begin: async () => proxy.pause(),
      lastsMs: 8_000,
      end: async () => proxy.resume(),
    }));
    expectUnharmed(seen);
    expectAllowance(seen, 0);
    expectCounted(seen);
    expect(seen.timesLost).toBe(3);
  });
});
