// Limits through each way a Redis can be there: sentinels that name another primary, a cluster that moves and loses nodes,
// TLS with an ACL user; and what callers get when a fleet would rather refuse, or admit everybody, than count alone.
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { apiKey, limitedFleet, startLoad, summary } from '../support/limited-replicas.ts';
import { expectUnharmed, live, timesLost } from '../support/redis-trouble.ts';
import { redisOfTest } from '../support/redis/of-test.ts';
import type { RouterProcess } from '../support/router-process.ts';
import { systemTest } from './of-test.ts';

const { startRedis, startSentinels, startCluster } = redisOfTest();
const { serve, file } = systemTest();

const perMinute = 1_200;
const burst = 20;
const limits = `requests_per_minute: ${perMinute}, concurrent: 1000, burst: { requests: ${burst} }`;

function threeRouters(config: string): Promise<readonly RouterProcess[]> {
  return Promise.all([1, 2, 3].map(() => serve(['--config', config])));
}
const addresses = (nodes: readonly { readonly host: string; readonly port: number }[]) =>
  nodes.map(({ host, port }) => `"${host}:${port}"`).join(', ');

describe('limits', { timeout: 90_000 }, () => {
  it('move with the primary that the sentinels name', async () => {
    const { primaryName, sentinels, killPrimary, newPrimary } = await startSentinels();
    const shared = `sentinel: { primary: ${primaryName}, nodes: [${addresses(sentinels)}] }`;
    const routers = await threeRouters(file(limitedFleet({ shared, limits })));
    let old: Awaited<ReturnType<typeof killPrimary>> | undefined;
    const seen = await live({
      name: 'Sentinel failover',
      routers,
      perSecond: 80,
      lastsMs: 0,
      begin: async () => {
        old = await killPrimary();
      },
      end: async () => {
        if (old !== undefined) await newPrimary(old);
      },
    });
    expectUnharmed(seen, 5_000);
    expect(seen.admitted).toBeLessThanOrEqual((burst + (perMinute / 60) * seen.tookSeconds) * 1.02 + burst);
    expect(timesLost(routers)).toBe(3);
  });

  it('stay exact for each tenant in a cluster whose slots move', async () => {
    const cluster = await startCluster({ primaries: 3 });
    const keys = [apiKey, ...Array.from({ length: 5 }, (_, n) => `sk-other-${n}`)];
    const shared = `cluster: { nodes: [${addresses(cluster.nodes)}] }, prefix: "switchyard:"`;
    const routers = await threeRouters(file(limitedFleet({ shared, limits, others: keys.slice(1) })));
    const move = async (key: string) => {
      const slot = await cluster.slotOf(`switchyard:{${key}}:x`);
      const owner = await cluster.ownerOf(slot);
      const target = cluster.servers.find((server) => server !== owner);
      if (target === undefined) throw new Error('a cluster of one');
      await cluster.moveSlot(slot, target);
    };
    const seen = await live({
      name: 'Cluster, slots moving',
      routers,
      perSecond: 240,
      keys,
      lastsMs: 2_000,
      begin: () => move(keys[0] ?? ''),
      end: () => move(keys[1] ?? ''),
    });
    expectUnharmed(seen);
    expect(timesLost(routers)).toBe(0);
    const allowed = keys.length * (burst + (perMinute / 60) * seen.tookSeconds);
    expect(seen.admitted).toBeLessThanOrEqual(allowed * 1.01);
    expect(seen.admitted).toBeGreaterThanOrEqual(allowed * 0.97);
  });

  it('go on while a node of a cluster is lost and its replica takes over', async () => {
    const cluster = await startCluster({ primaries: 3, replicasEach: 1 });
    const shared = `cluster: { nodes: [${addresses(cluster.nodes)}] }`;
    const routers = await threeRouters(file(limitedFleet({ shared, limits })));
    const slot = await cluster.slotOf(`switchyard:{${apiKey}}:x`);
    const owner = await cluster.ownerOf(slot);
    const seen = await live({
      name: 'Cluster, a primary killed',
      routers,
      perSecond: 80,
      lastsMs: 0,
      begin: () => owner.kill(),
      end: async () => {
        const deadline = performance.now() + 20_000;
        for (let now = owner; now === owner; now = await cluster.ownerOf(slot).catch(() => owner)) {
          expect(performance.now()).toBeLessThan(deadline);
          await sleep(100);
        }
      },
    });
    expectUnharmed(seen, 5_000);
    expect(seen.admitted).toBeLessThanOrEqual((burst + (perMinute / 60) * seen.tookSeconds) * 1.02 + burst);
  });

  it('hold over TLS as an ACL user that may do no more than it needs', async () => {
    const password = 'a-redis-password';
    const rules = '~switchyard:* +@scripting +@read +@write +@connection +time +info -@admin';
    const redis = await startRedis({ tls: true, auth: { password, user: { name: 'switchyard', rules } } });
    const shared = `redis: "rediss://127.0.0.1:${redis.port}", username: switchyard, password: "\${REDIS_PASSWORD}", tls: { ca_file: "${redis.caFile ?? ''}" }`;
    const config = file(limitedFleet({ shared, limits }));
    const router = await serve(['--config', config], { env: { REDIS_PASSWORD: password } });
    const load = startLoad({ replicas: () => [router], perSecond: 100, seconds: 2 });
    await load.done;
    const found = summary(load.answers);
    expect(found.statuses).toEqual([200, 429]);
    expect(timesLost([router])).toBe(0);
    expect(router.stdout + router.stderr).not.toContain(password);
  });
});

describe('a fleet whose Redis is gone', () => {
  const dead = 'redis: "redis://127.0.0.1:9"';
  const ask = async (router: RouterProcess) => {
    const load = startLoad({ replicas: () => [router], perSecond: 100, seconds: 1 });
    await load.done;
    return load.answers;
  };

  it('refuses when it is told to, with a time to come back', async () => {
    const router = await serve(['--config', file(limitedFleet({ shared: dead, limits, onFailure: 'closed' }))]);
    expect(summary(await ask(router)).statuses).toEqual([503]);
    const answer = await fetch(`${router.url}/v1/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'm', prompt: 'hi' }),
    });
    expect(answer.headers.get('retry-after')).toBe('1');
    expect(await answer.json()).toMatchObject({ error: { type: 'limiter_unavailable' } });
  });

  it('admits everybody when it is told to, and says so', async () => {
    const router = await serve(['--config', file(limitedFleet({ shared: dead, limits, onFailure: 'open' }))]);
    const answers = await ask(router);
    expect(summary(answers).statuses).toEqual([200]);
    expect(answers.every(({ degraded }) => degraded)).toBe(true);
  });

  it('counts by itself otherwise, from the first request on', async () => {
    const router = await serve(['--config', file(limitedFleet({ shared: dead, limits }))]);
    const answers = await ask(router);
    const { admitted, statuses } = summary(answers);
    expect(statuses).toEqual([200, 429]);
    expect(admitted).toBeLessThanOrEqual(burst + perMinute / 60 + 1);
    expect(answers.every(({ degraded }) => degraded)).toBe(true);
    expect(timesLost([router])).toBe(1);
  });
});
