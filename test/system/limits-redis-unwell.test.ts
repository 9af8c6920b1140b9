// What becomes of limits when Redis answers, but not as it should: it has forgotten, or may not write.
import { describe, expect, it } from 'vitest';
import { expectUnharmed } from '../support/redis-trouble.ts';
import { expectAllowance, expectCounted, oneRedis } from './one-redis.ts';

const { liveThrough, startRedis } = oneRedis();

describe('limits, while Redis', { timeout: 60_000 }, () => {
  it('forgets its scripts', async () => {
    const seen = await liveThrough('SCRIPT FLUSH', ({ redis }) => ({
      begin: () => redis.command('SCRIPT', 'FLUSH'),
      lastsMs: 2_000,
      end: () => redis.command('SCRIPT', 'FLUSH'),
    }));
    expectUnharmed(seen);
    expectAllowance(seen, 0);
    expectCounted(seen);
    expect(seen.timesLost).toBe(0);
  });

  it('forgets everything', async () => {
    const seen = await liveThrough('FLUSHALL', ({ redis }) => ({
      begin: () => redis.command('FLUSHALL'),
      lastsMs: 2_000,
      end: async () => {},
    }));
    expectUnharmed(seen);
    expectAllowance(seen, 1);
    expect(seen.timesLost).toBe(0);
  });

  it('may only be read', async () => {
    const other = await startRedis();
    const seen = await liveThrough('a read-only replica', ({ redis }) => ({
      begin: () => redis.command('REPLICAOF', '127.0.0.1', other.port),
      lastsMs: 6_000,
      end: () => redis.command('REPLICAOF', 'NO', 'ONE'),
    }));
    expectUnharmed(seen);
    expectAllowance(seen, 1);
    expect(seen.timesLost).toBe(3);
  });

  it('is full', async () => {
    const seen = await liveThrough('full', ({ redis }) => ({
      begin: () => redis.command('CONFIG', 'SET', 'maxmemory', '1'),
      lastsMs: 6_000,
      end: () => redis.command('CONFIG', 'SET', 'maxmemory', '0'),
    }));
    expectUnharmed(seen);
    expectAllowance(seen, 0);
    expectCounted(seen);
    expect(seen.timesLost).toBe(3);
  });
});
