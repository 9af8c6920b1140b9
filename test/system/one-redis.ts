// Three routers with one Redis that gets into trouble, for the tests of what becomes of limits then.
import { expect } from 'vitest';
import { limitedFleet } from '../support/limited-replicas.ts';
import { live, type Seen, timesLost, type Trouble } from '../support/redis-trouble.ts';
import { redisOfTest } from '../support/redis/of-test.ts';
import type { RedisServer } from '../support/redis/redis-process.ts';
import type { TcpProxy } from '../support/redis/tcp-proxy.ts';
import { systemTest } from './of-test.ts';

const perMinute = 1_200;
const burst = 20;
const perSecond = (4 * perMinute) / 60;
const limits = `requests_per_minute: ${perMinute}, requests_per_day: 86400, tokens_per_minute: 10000000, concurrent: 1000, burst: { requests: ${burst} }`;

export interface Setting {
  readonly redis: RedisServer;
  /** Through a proxy, so that the way there can be in trouble too. */
  readonly proxy: TcpProxy;
}

export interface SeenAndLost extends Seen {
  /** Admissions, as the counters in Redis know them. */
  readonly counted: number;
  readonly timesLost: number;
}

type Plan = Pick<Trouble, 'begin' | 'end' | 'lastsMs'>;

/** Call at the top of a test file. */
export function oneRedis() {
  const { startRedis, startTcpProxy } = redisOfTest();
  const { serve, file } = systemTest();
  const liveThrough = async (name: string, plan: (setting: Setting) => Plan): Promise<SeenAndLost> => {
    const redis = await startRedis();
    const proxy = await startTcpProxy(redis.url);
    const config = file(limitedFleet({ shared: `redis: "${proxy.url}"`, limits }));
    const routers = await Promise.all([1, 2, 3].map(() => serve(['--config', config])));
    const startedMs = Date.now();
    const seen = await live({ name, routers, perSecond, ...plan({ redis, proxy }) });
    const counted = await countedBy(redis, startedMs);
    process.stdout.write(`limits, Redis ${name}: ${counted} counted afterwards\n`);
    return { ...seen, counted, timesLost: timesLost(routers) };
  };
  return { startRedis, liveThrough };
}

/** What the counter of the day holds, with what came back to it: one request a second. */
async function countedBy(redis: RedisServer, startedMs: number): Promise<number> {
  const keys = await redis.command('KEYS', 'switchyard:*:requests_per_day');
  const stored = await redis.command('GET', String(Array.isArray(keys) ? keys[0] : ''));
  const [used = 0, atMs = 0] = String(stored).split(' ').map(Number);
  return Math.round(used + (atMs - startedMs) / 1000);
}

/** `extra`: what a trouble may cost beyond the limit, in bursts; each replica rounds for itself while it is alone. */
export function expectAllowance({ admitted, tookSeconds }: Seen, extra: number): void {
  const allowed = burst + (perMinute / 60) * tookSeconds;
  expect(admitted).toBeLessThanOrEqual(allowed * 1.01 + extra * burst + 3);
  expect(admitted).toBeGreaterThanOrEqual(allowed * 0.9);
}

/** Redis knows of every admission, those included that were decided without it. */
export function expectCounted({ admitted, counted }: SeenAndLost): void {
  expect(counted).toBeGreaterThanOrEqual(admitted * 0.97);
  expect(counted).toBeLessThanOrEqual(admitted * 1.03);
}
