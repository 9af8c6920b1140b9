// A fleet that leads back to the router itself, and routers in front of routers, which are no loop.
import { afterEach, describe, expect, it } from 'vitest';
import { GatewayError } from '../../src/errors.ts';
import { hopsThrough } from '../../src/http/hops.ts';
import { aFleet } from '../support/a-fleet.ts';
import { quickProbe, type RouterWishes, type RunningRouter, startRouter } from '../support/running-router.ts';

const started: RunningRouter[] = [];
afterEach(async () => {
  // The one in front first: what is behind it is in use until then.
  for (const router of started.splice(0).toReversed()) await router.stop();
});

async function start(wishes: RouterWishes = {}): Promise<RunningRouter> {
  const router = await startRouter(wishes);
  started.push(router);
  return router;
}

function inFrontOf(router: RunningRouter) {
  return { name: 'behind', engine: 'openai', url: router.url, probe: quickProbe } as const;
}

describe('a request', () => {
  it('that comes back to its router ends with 508 there, at the first time', async () => {
    const router = await start();
    const self = { name: 'self', engine: 'openai', url: router.url, models: ['round'], probe: quickProbe } as const;
    const fleet = aFleet({ backends: [self] });
    await router.service.apply(fleet);
    const answer = await router.chat({ model: 'round' });
    expect(answer.status).toBe(508);
    expect(await answer.json()).toMatchObject({ error: { type: 'loop_detected' } });
    expect(await router.metric('switchyard_requests_total', { outcome: 'loop_detected' })).toBe(1);
  });

  it('goes through a router in front of a router, and its engine is told of both', async () => {
    const behind = await start();
    const front = await start({ engines: [], others: [inFrontOf(behind)] });
    const answer = await front.chat();
    expect(answer.status).toBe(200);
    await answer.text();
    const asked = behind.engine.journal.findLast(({ method }) => method === 'POST');
    expect(asked?.headers['x-switchyard-hop']).toMatch(/^[0-9a-f]{8}, [0-9a-f]{8}$/);
  });

  it('is not held for one that has gone round by what a caller makes up', async () => {
    const router = await start();
    for (const made of ['x', 'A,B', '../../etc', 'a'.repeat(40), ', ,'])
      expect((await router.chat({}, { headers: { 'x-switchyard-hop': made } })).status).toBe(200);
    const hops = router.engine.journal.filter(({ method }) => method === 'POST').map(({ headers }) => headers);
    expect(hops.map((headers) => headers['x-switchyard-hop'])).toEqual([
      expect.stringMatching(/^x, [0-9a-f]{8}$/),
      ...Array.from({ length: 4 }, () => expect.stringMatching(/^[0-9a-f]{8}$/)),
    ]);
  });
});

describe('hops', () => {
  it('are written down one after the other, until they are too many', () => {
    let hops: string | undefined;
    for (const own of 'abcdefgh') hops = hopsThrough(hops, own);
    expect(hops).toBe('a, b, c, d, e, f, g, h');
    expect(() => hopsThrough(hops, 'i')).toThrow(GatewayError);
    expect(() => hopsThrough('a,b', 'b')).toThrow(/come back/);
  });
});
