// Several routers that place requests by least-cost: what one has learnt of a conversation holds for the others too.
import { afterEach, describe, expect, it, vi } from 'vitest';
import { freshChat } from '../support/fresh-calls.ts';
import { redisOfTest } from '../support/redis/of-test.ts';
import { settingsFor } from '../support/redis/settings-for.ts';
import { type RouterWishes, type RunningRouter, routerPerTest, startRouter } from '../support/running-router.ts';

// First, so that it goes last: routers are stopped while their Redis is there.
const { startRedis, startCluster, startTcpProxy } = redisOfTest();
const { start } = routerPerTest();
const two = [{ imitates: 'vllm' }, { imitates: 'vllm' }] as const;
/** Of which the index remembers so many. */
const points = 7;
const text = (about: string) => `${about} `.repeat(Math.ceil(7_800 / (about.length + 1)));
const opening = (about: string) => [{ role: 'user', content: text(about) }];
/** One point. Whoever knows of it knows too that what its router had served before has ended. */
const short = (n: number) => [{ role: 'user', content: `${n} is short `.repeat(100) }];
const later = (about: string) => [
  ...opening(about),
  { role: 'assistant', content: 'well' },
  { role: 'user', content: `and what else, ${about}?` },
];
const patiently = { timeout: 15_000 };
const slowly = { timeout: 40_000 };
const abouts = Array.from({ length: 8 }, (_, n) => `conversation ${n}`);

/** Where everything that was said of each conversation went. */
function places({ engines }: Pick<RunningRouter, 'engines'>): ReadonlyMap<string, readonly number[]> {
  const found = engines.map(({ posts }) => posts.map(({ body }) => body.toString()));
  return new Map(
    abouts.map((about) => [
      about,
      found.flatMap((posts, n) => (posts.some((post) => post.includes(text(about))) ? [n] : [])),
    ]),
  );
}

const entries = (router: RunningRouter) => router.metric('switchyard_affinity_entries');
const inTouch = (router: RunningRouter, count: number) =>
  vi.waitFor(async () => expect(await router.metric('switchyard_routers_in_touch')).toBe(count), patiently);
const say = async ({ chat }: RunningRouter, messages: unknown) => {
  const response = await chat({ messages });
  await response.text();
  return { status: response.status, place: response.headers.get('x-switchyard-backend') };
};

describe('two workers', () => {
  const serve = () => start({ policy: 'least-cost', engines: two, server: { workers: 2 } });

  it('send a conversation where either of them has begun it', async () => {
    const router = await serve();
    await inTouch(router, 2);
    for (const about of abouts) await freshChat(router.port, { messages: opening(about) }).ended;
    // Enough that each of them serves one.
    for (let n = 0; n < 16; n++) await freshChat(router.port, { messages: short(n) }).ended;
    const known = points * abouts.length + 16;
    await vi.waitFor(async () => expect(await entries(router)).toBe(2 * known), patiently);
    // One after the other: several at once may be better off apart.
    for (const about of abouts)
      for (let n = 0; n < 4; n++) await freshChat(router.port, { messages: later(about) }).ended;
    expect([...places(router).values()].map((where) => where.length)).toEqual(abouts.map(() => 1));
    expect(router.engines.every(({ posts }) => posts.length > 0)).toBe(true);
  });

  it('are in touch again when one has died and was started anew', { timeout: 30_000 }, async () => {
    const router = await serve();
    await inTouch(router, 2);
    await router.service.killWorker?.(0);
    await vi.waitFor(async () => expect(await router.metric('switchyard_worker_deaths_total')).toBe(1), patiently);
    await inTouch(router, 2);
    expect((await freshChat(router.port, { messages: opening('afterwards') }).ended).status).toBe(200);
  });
});

describe('two replicas that meet at a Redis', () => {
  const more: RunningRouter[] = [];
  afterEach(async () => {
    await Promise.all(more.splice(0).map((router) => router.stop()));
  });

  /** The second one has the same backends, in another order. */
  async function pair(
    url: string,
    wishes: RouterWishes = {},
    settings = settingsFor(url),
  ): Promise<readonly [RunningRouter, RunningRouter]> {
    const together = { policy: 'least-cost', sharedState: settings } as const;
    const one = await start({ ...together, engines: two, ...wishes });
    const backends = one.service.fleet.backends.toReversed();
    const other = await startRouter({ ...together, engines: [], others: backends });
    more.push(other);
    return [one, other];
  }

  it('send a conversation where either of them has begun it', async () => {
    const [one, other] = await pair((await startRedis()).url);
    await Promise.all([inTouch(one, 2), inTouch(other, 2)]);
    for (const about of abouts) await say(one, opening(about));
    await say(one, short(0));
    await vi.waitFor(async () => expect(await entries(other)).toBe(await entries(one)), patiently);
    for (const about of abouts) await say(other, later(about));
    expect([...places(one).values()].map((where) => where.length)).toEqual(abouts.map(() => 1));
    expect(one.engines.every(({ posts }) => posts.length > 0)).toBe(true);
    expect(await other.metric('switchyard_routing_decisions_total', { result: 'affinity_hit' })).toBe(abouts.length);
  });

  it('hear each other in a cluster, whichever of its servers they listen to', slowly, async () => {
    const { nodes } = await startCluster({ primaries: 2 });
    const url = 'redis://127.0.0.1:1';
    const [one, other] = await pair(url, {}, settingsFor(url, { servers: { kind: 'cluster', nodes } }));
    await Promise.all([inTouch(one, 2), inTouch(other, 2)]);
    await say(one, opening('in a cluster'));
    await vi.waitFor(async () => expect(await entries(other)).toBe(points), patiently);
  });

  it('count each worker of the other', async () => {
    const [one, other] = await pair((await startRedis()).url, { server: { workers: 2 } });
    await Promise.all([inTouch(one, 3), inTouch(other, 3)]);
    await freshChat(one.port, { messages: opening('told to all') }).ended;
    await vi.waitFor(
      async () => expect([await entries(one), await entries(other)]).toEqual([2 * points, points]),
      patiently,
    );
    await one.service.killWorker?.(1);
    await vi.waitFor(async () => expect(await one.metric('switchyard_worker_deaths_total')).toBe(1), patiently);
    await Promise.all([inTouch(one, 3), inTouch(other, 3)]);
  });

  it('forget each other at once when one stops', async () => {
    const [one, other] = await pair((await startRedis()).url);
    await inTouch(one, 2);
    await other.stop();
    more.length = 0;
    await inTouch(one, 1);
    expect((await say(one, opening('alone'))).status).toBe(200);
  });

  it.each(['cut', 'silent'])('go on each alone while Redis is %s, and together afterwards', slowly, async (how) => {
    const proxy = await startTcpProxy((await startRedis()).url);
    const [one, other] = await pair(proxy.url);
    await Promise.all([inTouch(one, 2), inTouch(other, 2)]);
    proxy.pause();
    if (how === 'cut') proxy.cut();
    const statuses = new Set<number>();
    const said: string[] = [];
    const goOn = async (about: string) => {
      for (const router of [one, other]) {
        said.push(`${about} by ${router.port}`);
        statuses.add((await say(router, opening(said.at(-1) ?? ''))).status);
      }
    };
    for (let n = 0; n < 10; n++) await goOn(`at the time of it ${n}`);
    await Promise.all([inTouch(one, 1), inTouch(other, 1)]);
    for (let n = 0; n < 10; n++) await goOn(`alone ${n}`);
    proxy.resume();
    if (how === 'cut') proxy.cut();
    await Promise.all([inTouch(one, 2), inTouch(other, 2)]);
    // Whatever is still on its way from that time is nothing new to anybody then.
    for (const about of said) for (const router of [one, other]) await say(router, opening(about));
    const { place } = await say(one, opening('together again'));
    await say(one, short(0));
    const all = points * (said.length + 1) + 1;
    await vi.waitFor(async () => expect(await entries(other)).toBe(all), patiently);
    expect((await say(other, later('together again'))).place).toBe(place);
    expect([...statuses]).toEqual([200]);
  });
});
