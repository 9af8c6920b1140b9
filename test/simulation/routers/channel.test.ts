import { describe, expect, it } from 'vitest';
import { VirtualTime } from '../virtual-time.ts';
import { channelDefaults, type ChannelSettings, openChannel } from './channel.ts';
import { SharedLoads } from './loads.ts';
import type { Router } from './router.ts';

/** When each of two routers has heard of the other, in milliseconds, within a second. */
function heard(settings: Partial<ChannelSettings>, random = () => 0.5) {
  const time = new VirtualTime();
  const times: [number[], number[]] = [[], []];
  const forgotten: number[] = [];
  const routers = times.map((_, id): Router => {
    const router: Router = {
      place: () => {
        throw new Error('nothing is placed');
      },
      news: () => (peer) => times[peer === routers[0] ? 0 : 1].push(time.now()),
      forget: () => forgotten.push(id),
    };
    return router;
  });
  openChannel({ routers, time, random, settings: { ...channelDefaults, ...settings } });
  time.runUntil(() => time.now() > 1000);
  return { times, forgotten };
}

describe('the channel between routers', () => {
  it('carries news ten times a second, a little late', () => {
    const { times } = heard({});
    expect(times[1].slice(0, 3)).toEqual([52, 152, 252]);
    expect(times[0].slice(0, 3)).toEqual([102, 202, 302]);
  });

  it('loses some', () => {
    expect(heard({ loss: 0.6 }).times.flat()).toEqual([]);
  });

  it('carries nothing while it is cut, and after a while peers are forgotten', () => {
    const { times, forgotten } = heard({ cut: [300, 700], silenceMs: 200 });
    expect(times.flat().filter((atMs) => atMs > 302 && atMs < 700)).toEqual([]);
    expect(times.flat().some((atMs) => atMs > 700)).toBe(true);
    expect(new Set(forgotten)).toEqual(new Set([0, 1]));
  });
});

describe('shared loads', () => {
  it('add what peers have last told to what is here', () => {
    const [one, other] = [new SharedLoads(2), new SharedLoads(2)];
    one.add('requests', 0, 3);
    other.add('requests', 0, 2);
    one.hear(1, other.snapshot());
    other.add('requests', 0, -1);
    expect([one.requests(0), one.requests(1)]).toEqual([5, 0]);
    one.hear(1, other.snapshot());
    expect(one.requests(0)).toBe(4);
    one.forget(1);
    expect(one.requests(0)).toBe(3);
  });
});
