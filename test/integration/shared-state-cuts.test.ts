// What is on its way to Redis when the way breaks, and callers that do not wait for it.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { rulesOf } from '../../src/access/rules.ts';
import { createVerdicts } from '../../src/access/verdicts.ts';
import { systemClock } from '../../src/clock.ts';
import type { Limits } from '../../src/fleet/fleet.ts';
import type { SharedStateSettings } from '../../src/fleet/shared-state.ts';
import { createSharedLimiter, type SharedLimiter } from '../../src/redis/shared-limiter.ts';
import { aCaller, anAuth } from '../support/a-fleet.ts';
import { redisOfTest } from '../support/redis/of-test.ts';
import { settingsFor } from '../support/redis/settings-for.ts';
import { startRouter } from '../support/running-router.ts';

const { startRedis, startCluster, startTcpProxy } = redisOfTest();
const limiters: SharedLimiter[] = [];
afterEach(async () => {
  await Promise.all(limiters.splice(0).map((limiter) => limiter.stop()));
});

async function limiterFor(settings: SharedStateSettings) {
  const failures: string[] = [];
  const limiter = createSharedLimiter(settings, {
    clock: systemClock,
    verdicts: createVerdicts({ headers: 'openai', decided: () => {} }),
    observer: {
      asked: () => {},
      failed: (command, reason) => failures.push(`${command}: ${reason}`),
      changed: () => {},
    },
  });
  limiters.push(limiter);
  await limiter.start();
  const callerOf = (tenant: string, keyLimits: Limits) =>
    aCaller({ tenant, rules: rulesOf({ tenant, keyId: 'k', keyLimits }, anAuth(), new Map()) });
  return { limiter, failures, callerOf };
}

const cost = { inputTokens: 10, outputTokens: 4_000 };

describe('a connection that is cut', () => {
  it('loses no end of a grant that was on its way', async () => {
    const redis = await startRedis();
    const proxy = await startTcpProxy(redis.url);
    const { limiter, callerOf } = await limiterFor(settingsFor(proxy.url));
    const caller = callerOf('t', { tokensPerDay: 86_400, concurrent: 100 });
    const grants = await Promise.all(Array.from({ length: 10 }, () => limiter.take({ caller, model: 'm', cost })));
    proxy.delayMs = { toServer: 500, toClient: 0 };
    for (const grant of grants) grant.settle({ inputTokens: 10, outputTokens: 190 });
    proxy.cut();
    proxy.delayMs = 0;
    await vi.waitFor(async () => expect(await redis.command('KEYS', '*reservation*')).toEqual([]), { timeout: 5_000 });
    await vi.waitFor(() => expect(limiter.held()).toEqual({ leases: 0, messages: 0 }));
    const [used = 0] = String(await redis.command('GET', 'switchyard:{t}:key:k:tokens_per_day'))
      .split(' ')
      .map(Number);
    // One comes back in each second.
    expect(used).toBeGreaterThan(1_980);
    expect(used).toBeLessThanOrEqual(2_000);
  });
});

describe('a cluster of which one server is frozen', () => {
  it('goes without it for the tenants whose counters it has, and for nobody else', { timeout: 30_000 }, async () => {
    const cluster = await startCluster({ primaries: 2 });
    const { limiter, failures, callerOf } = await limiterFor({
      ...settingsFor('redis://127.0.0.1:1'),
      servers: { kind: 'cluster', nodes: cluster.nodes },
    });
    const ownerOf = async (tenant: string) => cluster.ownerOf(await cluster.slotOf(`switchyard:{${tenant}}:x`));
    const names = Array.from({ length: 20 }, (_, n) => `tenant-${n}`);
    const [first = ''] = names;
    const frozen = await ownerOf(first);
    const owners = await Promise.all(names.map(ownerOf));
    const other = names.find((_, n) => owners[n] !== frozen) ?? '';
    const [stuck, free] = [callerOf(first, { requestsPerMinute: 1e6 }), callerOf(other, { requestsPerMinute: 1e6 })];
    const take = (caller: typeof stuck) => limiter.take({ caller, model: 'm', cost });
    expect([(await take(stuck)).degraded, (await take(free)).degraded]).toEqual([false, false]);
    frozen.freeze();
    const seen: boolean[] = [];
    for (let n = 0; n < 100; n++) {
      await take(stuck);
      seen.push((await take(free)).degraded);
    }
    frozen.thaw();
    expect(seen.filter(Boolean).length).toBeLessThan(3);
    // Five in a row, and not one for each request.
    expect(failures.filter((failure) => failure === 'take: timeout').length).toBeLessThan(10);
    await vi.waitFor(async () => expect((await take(stuck)).degraded).toBe(false), { timeout: 10_000, interval: 200 });
  });
});

describe('a caller that hangs up while Redis is asked', () => {
  it('reaches no backend and pays nothing', async () => {
    const redis = await startRedis();
    const { limiter } = await limiterFor(settingsFor(redis.url));
    const seen = Promise.withResolvers<void>();
    const limits = { requestsPerDay: 8_640 };
    const router = await startRouter({
      auth: { tenants: new Map([['anonymous', { limits, modelLimits: new Map() }]]) },
      limiter: {
        // Redis' answer counts once the router knows that nobody waits for it, whichever of them is faster today.
        async take(ask) {
          const grant = await limiter.take(ask);
          await seen.promise;
          return grant;
        },
      },
    });
    const onRequest = (message: unknown) => {
      if (isRequestTo(message, router.port)) message.response.once('close', () => setImmediate(seen.resolve));
    };
    subscribe('http.server.request.start', onRequest);
    try {
      const gone = new AbortController();
      const abandoned = router.chat({}, { signal: gone.signal });
      await vi.waitFor(async () => expect(await redis.command('KEYS', '*reservation*')).toHaveLength(1), {
        interval: 1,
      });
      gone.abort();
      await expect(abandoned).rejects.toThrow(/abort/i);
      await seen.promise;
      await vi.waitFor(async () => expect(await redis.command('KEYS', '*{anonymous}*')).toEqual([]));
      expect(router.engine.posts).toEqual([]);
      expect(router.log.at(-1)).toMatchObject({ outcome: 'client_closed', attempts: 0 });
    } finally {
      unsubscribe('http.server.request.start', onRequest);
      seen.resolve();
      await router.stop();
    }
  });
});

/** What Node tells of a request as it arrives. */
function isRequestTo(message: unknown, port: number): message is { readonly response: ServerResponse } {
  if (typeof message !== 'object' || message === null || !('response' in message) || !('socket' in message))
    return false;
  const { response, socket } = message;
  return response instanceof ServerResponse && socket instanceof Socket && socket.localPort === port;
}
