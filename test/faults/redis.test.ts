// Redis in trouble: rows 61 to 71 of the matrix, each in a short version. The system tests carry them at length:
//
//   61, 62, 64      limits-redis-gone.test.ts       killed and back empty, frozen, slow, partitioned; three replicas
//   66              limits-redis-unwell.test.ts     a read-only replica; limits-redis-kinds.test.ts: Sentinel failover
//   67              limits-redis-kinds.test.ts      slots that move, a primary that is killed
//   69              limits-accuracy.test.ts         60 s at ten times the limit, in requests and in tokens
//   70              limits-replicas.test.ts         50 leases of a killed replica
//   71              contract/limiters.test.ts       settled twice, settled after its end, in both implementations
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { answer } from '../support/scripted/behaviours.ts';
import { apiKey, limitedFleet, type Load, startLoad, summary } from '../support/limited-replicas.ts';
import { redisOfTest } from '../support/redis/of-test.ts';
import type { RouterProcess } from '../support/router-process.ts';
import { faultMatrix, type World } from './matrix.ts';
import { linesOf, Metrics } from './readings.ts';
import { limitedKey, Stand } from './stand.ts';

const redisOf = redisOfTest();
const { fault, serve, file } = faultMatrix();
const perMinute = 1_200;
const burst = 20;
const limits = `requests_per_minute: ${perMinute}, concurrent: 1000, burst: { requests: ${burst} }`;

/** Routers whose only backend is inside of them, so that only their own accounts can be checked. */
async function replicas(count: number, shared: string, of = limits): Promise<readonly RouterProcess[]> {
  const fleet = limitedFleet({ shared, limits: of }).replace('access: none', 'access: all');
  const config = file(fleet);
  return Promise.all(Array.from({ length: count }, () => serve(['--config', config])));
}

function adopt(on: World, routers: readonly RouterProcess[], load: Load): void {
  for (const [n, router] of routers.entries()) {
    const stand = new Stand(router, []);
    stand.journals = false;
    stand.sent = load.answers.filter(({ replica, status }) => replica === n && status > 0).length;
    if (router.running) on.adopt(stand);
  }
}

interface Plan {
  readonly seconds: number;
  /** Begins after a second and a half. */
  readonly begin: () => unknown;
  readonly lastsMs: number;
  readonly end: () => unknown;
}

/** Two replicas at four times the limit through a trouble: nobody sees an error, and soon it is exact again. */
async function liveThrough(on: World, shared: string, plan: Plan) {
  const routers = await replicas(2, shared);
  const load = startLoad({ replicas: () => routers, perSecond: (4 * perMinute) / 60, seconds: plan.seconds });
  await sleep(1_500);
  const begunAt = Date.now();
  await plan.begin();
  await sleep(plan.lastsMs);
  const up = await Promise.all(routers.map(sharedStateUp));
  await plan.end();
  const endedMs = load.nowMs();
  await load.done;
  adopt(on, routers, load);
  const whole = summary(load.answers);
  expect([whole.statuses, whole.failures]).toEqual([[200, 429], []]);
  const exact = routers.map((_, replica) =>
    Math.min(
      ...load.answers
        .filter((one) => one.replica === replica && !one.degraded && one.atMs >= endedMs)
        .map(({ atMs }) => atMs),
    ),
  );
  const exactAfterMs = Math.round(Math.max(...exact) - endedMs);
  const lostAfterMs = routers.map((router) => {
    const line = linesOf(router).find(({ shared_state: state }) => state === 'down');
    return line === undefined ? undefined : Date.parse(String(line['time'])) - begunAt;
  });
  // A replica that is alone rounds up for itself.
  const allowed = Math.round(burst + (perMinute / 60) * lastedSeconds(load));
  return { ...whole, exactAfterMs, lostAfterMs, up, allowed };
}

/** Until the last answer: a busy machine takes longer than it was to. */
function lastedSeconds({ answers }: Load): number {
  return Math.max(...answers.map(({ atMs, tookMs }) => atMs + tookMs)) / 1000;
}

async function sharedStateUp({ url }: RouterProcess): Promise<number> {
  return (await Metrics.of(url)).total('switchyard_shared_state_up');
}

fault(
  {
    row: 61,
    when: 'Redis is killed under load',
    expected: 'no error caused by it, the limit holds, the gauge says 0, one log line each',
  },
  async (on) => {
    const redis = await redisOf.startRedis();
    const plan = { seconds: 6, begin: () => redis.kill(), lastsMs: 2_500, end: () => redis.restart() };
    const seen = await liveThrough(on, `redis: "${redis.url}"`, plan);
    expect(seen.up).toEqual([0, 0]);
    expect(seen.degraded).toBeGreaterThan(0);
    expect(seen.admitted).toBeLessThanOrEqual(seen.allowed * 1.01 + burst + 2);
    on.saw({
      statuses: seen.statuses,
      admitted: seen.admitted,
      allowed: seen.allowed,
      worstMs: seen.worstMs,
      lostAfterMs: seen.lostAfterMs,
    });
  },
);

fault(
  {
    row: 62,
    when: 'Redis comes back empty',
    expected: 'shared again within 3 s, at most one more bucket than allowed',
  },
  async (on) => {
    const redis = await redisOf.startRedis();
    const plan = { seconds: 6, begin: () => redis.restart(), lastsMs: 0, end: () => undefined };
    const seen = await liveThrough(on, `redis: "${redis.url}"`, plan);
    expect(seen.exactAfterMs).toBeLessThanOrEqual(3_000);
    expect(seen.admitted).toBeLessThanOrEqual(seen.allowed * 1.01 + burst + 2);
    on.saw({ exactAfterMs: seen.exactAfterMs, admitted: seen.admitted, allowed: seen.allowed });
  },
);

fault(
  {
    row: 64,
    when: 'the network to Redis swallows everything',
    expected: 'noticed within 2 s, no error, nobody waits; shared again within 3 s',
  },
  async (on) => {
    const redis = await redisOf.startRedis();
    const proxy = await redisOf.startTcpProxy(redis.url);
    const plan = { seconds: 8, begin: () => proxy.pause(), lastsMs: 3_000, end: () => proxy.resume() };
    const seen = await liveThrough(on, `redis: "${proxy.url}"`, plan);
    for (const ms of seen.lostAfterMs) expect(ms).toBeLessThanOrEqual(2_000);
    expect(seen.exactAfterMs).toBeLessThanOrEqual(3_000);
    expect(seen.admitted).toBeLessThanOrEqual(seen.allowed * 1.01 + 3);
    on.saw({
      lostAfterMs: seen.lostAfterMs,
      exactAfterMs: seen.exactAfterMs,
      worstMs: seen.worstMs,
      admitted: seen.admitted,
    });
  },
);

fault(
  {
    row: 66,
    when: 'Redis becomes a read-only replica',
    expected: 'local limits meanwhile, no error and no crash; shared again within 5 s of its being primary',
  },
  async (on) => {
    const [redis, other] = await Promise.all([redisOf.startRedis(), redisOf.startRedis()]);
    const seen = await liveThrough(on, `redis: "${redis.url}"`, {
      seconds: 9,
      begin: () => redis.command('REPLICAOF', '127.0.0.1', other.port),
      lastsMs: 2_500,
      end: () => redis.command('REPLICAOF', 'NO', 'ONE'),
    });
    expect(seen.exactAfterMs).toBeLessThanOrEqual(5_000);
    expect(seen.admitted).toBeLessThanOrEqual(seen.allowed * 1.01 + burst + 2);
    on.saw({
      statuses: seen.statuses,
      exactAfterMs: seen.exactAfterMs,
      admitted: seen.admitted,
      allowed: seen.allowed,
    });
  },
);

fault(
  {
    row: 67,
    when: 'the slot of a tenant moves in a cluster, and back',
    expected: 'MOVED and ASK are followed: no error, never without Redis, the limit holds',
  },
  async (on) => {
    const cluster = await redisOf.startCluster({ primaries: 3 });
    const nodes = cluster.nodes.map(({ host, port }) => `"${host}:${port}"`).join(', ');
    const slot = await cluster.slotOf(`switchyard:{${apiKey}}:x`);
    const owner = await cluster.ownerOf(slot);
    const target = cluster.servers.find((server) => server !== owner);
    if (target === undefined) throw new Error('a cluster of one');
    const seen = await liveThrough(on, `cluster: { nodes: [${nodes}] }`, {
      seconds: 6,
      begin: () => cluster.moveSlot(slot, target),
      lastsMs: 1_500,
      end: () => cluster.moveSlot(slot, owner),
    });
    expect(seen.lostAfterMs).toEqual([undefined, undefined]);
    expect(seen.admitted).toBeLessThanOrEqual(seen.allowed * 1.01 + 3);
    on.saw({ statuses: seen.statuses, degraded: seen.degraded, admitted: seen.admitted, allowed: seen.allowed });
  },
);

fault(
  { row: 69, when: 'three replicas, one key, ten times its limit', expected: 'exactly what is allowed, ±1 %' },
  async (on) => {
    const redis = await redisOf.startRedis();
    const [ofKey, seconds] = [600, 10];
    const routers = await replicas(3, `redis: "${redis.url}"`, `requests_per_minute: ${ofKey}`);
    const load = startLoad({ replicas: () => routers, perSecond: (10 * ofKey) / 60 + ofKey / seconds, seconds });
    await load.done;
    adopt(on, routers, load);
    const found = summary(load.answers);
    expect(found.statuses).toEqual([200, 429]);
    // What Redis did not answer in time was decided alone, and is the only thing that may be beyond.
    const alone = load.answers.filter(({ degraded, status }) => degraded && status === 200).length;
    const allowed = ofKey + (ofKey / 60) * lastedSeconds(load);
    expect(found.admitted).toBeLessThanOrEqual(allowed * 1.01 + alone);
    expect(found.admitted).toBeGreaterThanOrEqual((ofKey + (ofKey / 60) * seconds) * 0.99 - found.degraded);
    on.saw({ admitted: found.admitted, allowed: Math.round(allowed), alone });
  },
);

fault(
  {
    row: 70,
    when: 'a replica with 50 leases is killed',
    expected: 'no place is free before its end is certain, all are within 20 s',
  },
  async (on) => {
    const redis = await redisOf.startRedis();
    const [doomed, other] = await replicas(2, `redis: "${redis.url}"`, 'concurrent: 50');
    if (doomed === undefined || other === undefined) throw new Error('no routers');
    const survivor = new Stand(other, []);
    survivor.journals = false;
    const headers = { authorization: `Bearer ${apiKey}` };
    const stream = { model: 'slow', max_tokens: 1_000, stream: true };
    const doomedStand = new Stand(doomed, []);
    const held: Response[] = [];
    for (let n = 0; held.length < 50 && n < 150; n++) {
      const one = await doomedStand.open(stream, { headers });
      if (one.status === 200) held.push(one);
      // Only one that Redis did not answer in time is refused before all places are taken.
      else expect([one.status, one.headers.get('x-switchyard-limits')]).toEqual([429, 'degraded; local']);
    }
    expect(held).toHaveLength(50);
    expect((await survivor.ask({ model: 'm' }, { headers })).status).toBe(429);
    await doomed.kill();
    const killedMs = performance.now();
    await Promise.all(held.map((response) => doomedStand.read(response)));
    for (let free = false; !free; await sleep(100)) {
      const { status, headers: told } = await survivor.ask({ model: 'm', max_tokens: 1 }, { headers });
      // One that Redis did not answer in time was decided without it.
      free = status === 200 && told.get('x-switchyard-limits') === null;
      expect(performance.now() - killedMs).toBeLessThan(20_500);
    }
    const afterMs = Math.round(performance.now() - killedMs);
    // Each lasts 20 s from when it was renewed last.
    await sleep(Math.max(0, 20_500 - afterMs));
    const gone = new AbortController();
    const rest = await Promise.all(
      Array.from({ length: 60 }, () => survivor.open(stream, { headers, signal: gone.signal })),
    );
    const admitted = rest.filter((one) => one.status === 200).length;
    const alone = rest.filter((one) => one.headers.get('x-switchyard-limits') !== null).length;
    expect(Math.abs(admitted - 50)).toBeLessThanOrEqual(alone);
    gone.abort();
    await Promise.all(rest.map(async ({ body }) => body?.cancel().catch(() => {})));
    on.adopt(survivor);
    on.saw({ freeAfterMs: afterMs }, { ofSixty: admitted });
  },
);

fault(
  {
    row: 71,
    when: 'no usage is told; Redis is cut off while an answer runs; then neither',
    expected: 'each is charged once: what was counted, what was reported when Redis is back, what was reported',
  },
  async (on) => {
    const redis = await redisOf.startRedis();
    const proxy = await redisOf.startTcpProxy(redis.url);
    const bucket = 100_000;
    const stand = await on.stand({
      limits: { tokens_per_day: bucket },
      fleet: { shared_state: { redis: proxy.url } },
    });
    const engine = stand.engine(0);
    // Asked for by the caller, so that nothing is spliced in.
    const withUsage = { stream_options: { include_usage: true } };
    const left = async () => {
      const { headers } = await stand.ask({ max_tokens: 1 }, { headers: limitedKey });
      return Number(headers.get('x-ratelimit-remaining-tokens'));
    };
    const [words, prompt] = [500, 8];
    const pieces = Array.from({ length: words }, () => 'a ');
    const nothing = answer({ promptTokens: 0, pieces: [] });
    /** Of the allowance, what went since it was `before`; it comes back at little more than one a second. */
    const charged = async (before: number): Promise<number> => before - (await left());
    const once = { least: words, most: words + prompt + 10 };
    const ask = async (usage: 'never' | 'asked', whileItRuns: () => void = () => {}): Promise<void> => {
      engine.respond([answer({ pieces, promptTokens: prompt, usage, gapMs: 2 }), ...Array(100).fill(nothing)]);
      const running = stand.stream(withUsage, { headers: limitedKey });
      await engine.when(({ posts }) => posts.at(-1)?.sent.includes('a ') === true);
      whileItRuns();
      expect((await running).events.at(-1)).toBe('[DONE]');
    };
    const seen: number[] = [];
    for (const [usage, whileItRuns] of [
      ['never', undefined],
      ['asked', () => proxy.cut()],
      ['asked', undefined],
    ] as const) {
      engine.respond(nothing);
      const before = await left();
      await ask(usage, whileItRuns);
      await expect.poll(() => charged(before), { timeout: 10_000, interval: 100 }).toBeGreaterThan(once.least - 10);
      // Whatever would charge it again has had its time.
      await sleep(500);
      seen.push(await charged(before));
    }
    for (const tokens of seen) {
      expect(tokens).toBeGreaterThan(once.least - 10);
      expect(tokens).toBeLessThan(once.most);
    }
    on.saw({ withoutUsage: seen[0] ?? 0, cutOff: seen[1] ?? 0, well: seen[2] ?? 0, reported: words + prompt });
  },
);
