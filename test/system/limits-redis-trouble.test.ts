// What becomes of limits when Redis is in trouble: nobody is told of it by an error, nobody waits for it, the allowance is
// not multiplied, and it is exact again when Redis is.
import { describe, expect, it } from 'vitest';
import { limitedFleet } from '../support/limited-replicas.ts';
import { expectUnharmed, live, type Seen, timesLost, type Trouble } from '../support/redis-trouble.ts';
import { redisOfTest } from '../support/redis/of-test.ts';
import type { RedisServer } from '../support/redis/redis-process.ts';
import { systemTest } from './of-test.ts';

const { startRedis, startTcpProxy } = redisOfTest();
const { serve, file } = systemTest();

const perMinute = 1_200;
const burst = 20;
const perSecond = (4 * perMinute) / 60;
const limits = `requests_per_minute: ${perMinute}, tokens_per_minute: 10000000, concurrent: 1000, burst: { requests: ${burst} }`;

interface Setting {
  readonly redis: RedisServer;
  /** Through a proxy, so that the way there can be in trouble too. */
  readonly proxy: Awaited<ReturnType<typeof startTcpProxy>>;
}

interface SeenAndLost extends Seen {
  readonly timesLost: number;
}

type Plan = Pick<Trouble, 'begin' | 'end' | 'lastsMs'>;

async function liveThrough(name: string, plan: (setting: Setting) => Plan): Promise<SeenAndLost> {
  const redis = await startRedis();
  const proxy = await startTcpProxy(redis.url);
  const config = file(limitedFleet({ shared: `redis: "${proxy.url}"`, limits }));
  const routers = await Promise.all([1, 2, 3].map(() => serve(['--config', config])));
  const seen = await live({ name, routers, perSecond, ...plan({ redis, proxy }) });
  return { ...seen, timesLost: timesLost(routers) };
}

/** `extra`: what a trouble may cost beyond the limit, in bursts; each replica rounds for itself while it is alone. */
function expectAllowance({ admitted, tookSeconds }: Seen, extra: number): void {
  const allowed = burst + (perMinute / 60) * tookSeconds;
  expect(admitted).toBeLessThanOrEqual(allowed * 1.01 + extra * burst + 3);
  expect(admitted).toBeGreaterThanOrEqual(allowed * 0.9);
}

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
    expect(seen.timesLost).toBe(3);
  });

  it('forgets its scripts', async () => {
    const seen = await liveThrough('SCRIPT FLUSH', ({ redis }) => ({
      begin: () => redis.command('SCRIPT', 'FLUSH'),
      lastsMs: 2_000,
      end: () => redis.command('SCRIPT', 'FLUSH'),
    }));
    expectUnharmed(seen);
    expectAllowance(seen, 0);
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
    expect(seen.timesLost).toBe(3);
  });
});
