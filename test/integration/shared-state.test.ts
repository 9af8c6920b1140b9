// A router and its Redis: what is held, what is given back when an answer comes late or never, and what operators see.
import { afterEach, describe, expect, it, vi } from 'vitest';
import { rulesOf } from '../../src/access/rules.ts';
import { createVerdicts } from '../../src/access/verdicts.ts';
import { systemClock } from '../../src/clock.ts';
import type { Limits } from '../../src/fleet/fleet.ts';
import type { SharedStateSettings } from '../../src/fleet/shared-state.ts';
import { createSharedLimiter } from '../../src/redis/shared-limiter.ts';
import { aCaller, anAuth } from '../support/a-fleet.ts';
import { redisOfTest } from '../support/redis/of-test.ts';
import type { RedisServer } from '../support/redis/redis-process.ts';
import { textOf } from '../support/redis/replies.ts';
import { settingsFor } from '../support/redis/settings-for.ts';
import { type RunningRouter, startRouter } from '../support/running-router.ts';
import { stallsAfter } from '../support/scripted/behaviours.ts';

const { startRedis, startTcpProxy } = redisOfTest();
const routers: RunningRouter[] = [];
afterEach(async () => {
  await Promise.all(routers.splice(0).map((router) => router.stop()));
});

async function routerWith(url: string, limits: Limits, overrides: Partial<SharedStateSettings> = {}) {
  const router = await startRouter({
    auth: { tenants: new Map([['anonymous', { limits, modelLimits: new Map() }]]) },
    sharedState: settingsFor(url, overrides),
  });
  routers.push(router);
  return router;
}

const keyOf = (limit: string) => `switchyard:{anonymous}:all:${limit}`;

/** Requests that the counter of the day knows of; it gets back less than one in the time of a test. */
async function counted(redis: RedisServer): Promise<number> {
  const stored = await redis.command('GET', keyOf('requests_per_day'));
  return stored === null ? 0 : Math.ceil(Number(textOf(stored).split(' ')[0]) - 0.01);
}

const perDay = { requestsPerDay: 8_640 };
const stateLines = ({ log }: RunningRouter) =>
  log.flatMap(({ shared_state: state, reason }) =>
    typeof state !== 'string' ? [] : [typeof reason === 'string' ? `${state}: ${reason}` : state],
  );

describe('a script that is answered too late', () => {
  it('is taken back by its id: nobody has used what it granted', async () => {
    const redis = await startRedis();
    const proxy = await startTcpProxy(redis.url);
    const router = await routerWith(proxy.url, perDay);
    await (await router.chat()).text();
    expect(await counted(redis)).toBe(1);
    proxy.delayMs = { toServer: 0, toClient: 200 };
    const answer = await router.chat();
    expect([answer.status, answer.headers.get('x-switchyard-limits')]).toEqual([200, 'degraded; local']);
    proxy.delayMs = 0;
    await answer.text();
    // What was decided alone is booked as soon as Redis answers; what it had granted is gone.
    await vi.waitFor(async () => expect(await counted(redis)).toBe(2), { timeout: 5_000 });
    expect(await redis.command('KEYS', '*reservation*')).toEqual([]);
  });

  it('writes nothing when it arrives after its time', async () => {
    const redis = await startRedis();
    const proxy = await startTcpProxy(redis.url);
    const router = await routerWith(proxy.url, perDay, { onFailure: 'closed' });
    await (await router.chat()).text();
    proxy.delayMs = { toServer: 300, toClient: 0 };
    const calls = async () => {
      const stats = textOf(await redis.command('INFO', 'commandstats'));
      return Number(/cmdstat_evalsha:calls=(\d+)/.exec(stats)?.[1] ?? 0);
    };
    const before = await calls();
    expect((await router.chat()).status).toBe(503);
    await vi.waitFor(async () => expect(await calls()).toBeGreaterThan(before), { timeout: 5_000 });
    expect(await counted(redis)).toBe(1);
  });
});

describe('a router that is late itself', () => {
  it('does not hold it against Redis: what lies in the socket was in time', async () => {
    const redis = await startRedis();
    const limiter = createSharedLimiter(settingsFor(redis.url), {
      clock: systemClock,
      verdicts: createVerdicts({ headers: 'openai', decided: () => {} }),
      observer: { asked: () => {}, failed: () => {}, changed: () => {} },
    });
    await limiter.start();
    const rules = rulesOf({ tenant: 't', keyId: 'k', keyLimits: perDay }, anAuth(), new Map());
    const taking = limiter.take({ caller: aCaller({ rules }), model: 'm', cost: { inputTokens: 0, outputTokens: 0 } });
    const untilMs = performance.now() + 300;
    while (performance.now() < untilMs);
    expect((await taking).degraded).toBe(false);
    await limiter.stop();
  });
});

describe('a grant', () => {
  it('that ends while Redis is away is settled when Redis is back', async () => {
    const redis = await startRedis();
    const proxy = await startTcpProxy(redis.url);
    const router = await routerWith(proxy.url, { tokensPerDay: 86_400, concurrent: 5 });
    router.engine.respond([stallsAfter(2)]);
    const gone = new AbortController();
    const stream = await router.chat(
      { stream: true, max_tokens: 4_000, messages: [{ role: 'user', content: 'x'.repeat(4_000) }] },
      { signal: gone.signal },
    );
    expect(await redis.command('ZCARD', keyOf('concurrent'))).toBe(1);
    proxy.pause();
    await vi.waitFor(() => expect(stateLines(router)).toHaveLength(2), { timeout: 10_000 });
    gone.abort();
    await stream.text().catch(() => '');
    await vi.waitFor(() => expect(router.service.held().running).toBe(0));
    proxy.resume();
    await vi.waitFor(async () => expect(await redis.command('ZCARD', keyOf('concurrent'))).toBe(0), {
      timeout: 10_000,
    });
    const [used = 0] = textOf(await redis.command('GET', keyOf('tokens_per_day')))
      .split(' ')
      .map(Number);
    // The thousand of the prompt, less one in each second, and two of the answer, of the 5,000 that were reserved.
    expect(used).toBeGreaterThan(900);
    expect(used).toBeLessThan(1_003);
  });

  it('keeps its place when Redis forgets everything', async () => {
    const redis = await startRedis();
    const router = await routerWith(redis.url, { concurrent: 1 });
    router.engine.respond([stallsAfter(2)]);
    const gone = new AbortController();
    const stream = await router.chat({ stream: true }, { signal: gone.signal });
    await redis.command('FLUSHALL');
    await vi.waitFor(async () => expect(await redis.command('ZCARD', keyOf('concurrent'))).toBe(1), { timeout: 5_000 });
    expect((await router.chat()).status).toBe(429);
    gone.abort();
    await stream.text().catch(() => '');
    await vi.waitFor(async () => expect((await router.chat()).status).toBe(200));
  });
});

describe('operators', () => {
  it('see when Redis is lost and when it is back: one line each, a gauge, and the reasons', async () => {
    const redis = await startRedis();
    const router = await routerWith(redis.url, perDay);
    await (await router.chat()).text();
    const metrics = async () => (await router.get('/metrics')).text();
    expect(await metrics()).toMatch(/^switchyard_shared_state_up 1$/m);
    expect(await metrics()).toMatch(/^switchyard_shared_state_command_duration_seconds_count\{command="take"\} 1$/m);
    await redis.kill();
    await vi.waitFor(async () => expect(await metrics()).toMatch(/^switchyard_shared_state_up 0$/m));
    for (let n = 0; n < 10; n++) await (await router.chat()).text();
    const refused = /^switchyard_shared_state_errors_total\{command="beat",reason="connection"\} [1-9]/m;
    await vi.waitFor(async () => expect(await metrics()).toMatch(refused), { timeout: 5_000 });
    await redis.restart();
    await vi.waitFor(async () => expect(await metrics()).toMatch(/^switchyard_shared_state_up 1$/m), {
      timeout: 5_000,
    });
    expect(stateLines(router)).toEqual(['up', 'down: connection', 'up']);
    const labels = { tenant: 'anonymous', limit: 'requests_per_day' };
    expect(
      await router.metric('switchyard_rate_limit_decisions_total', { ...labels, decision: 'allowed_degraded' }),
    ).toBe(10);
    const degraded = router.log.filter(({ limits_degraded: flag }) => flag === true);
    expect(degraded).toHaveLength(10);
  });

  it('see nothing of it where there is no shared state', async () => {
    const router = await startRouter();
    routers.push(router);
    expect(await (await router.get('/metrics')).text()).not.toContain('switchyard_shared_state');
  });

  it('get a router that starts, serves and stops while Redis accepts connections and says nothing', async () => {
    const redis = await startRedis();
    redis.freeze();
    const router = await routerWith(redis.url, perDay);
    const answer = await router.chat();
    expect([answer.status, answer.headers.get('x-switchyard-limits')]).toEqual([200, 'degraded; local']);
    await answer.text();
    expect(stateLines(router)).toEqual(['down: connection']);
  });
});

describe('a router that stops', () => {
  it('leaves neither a connection nor a name among the replicas, and all of its grants settled', async () => {
    const redis = await startRedis();
    const router = await routerWith(redis.url, { concurrent: 5, tokensPerDay: 8_640 });
    await Promise.all([1, 2, 3].map(async () => (await router.chat()).text()));
    expect(await redis.command('ZCARD', 'switchyard:replicas')).toBe(1);
    routers.splice(0);
    await router.stop();
    const names = textOf(await redis.command('CLIENT', 'LIST'));
    expect(names).not.toContain('name=switchyard');
    expect(await redis.command('KEYS', '*')).toEqual([keyOf('tokens_per_day')]);
  });
});
