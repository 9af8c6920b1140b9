// Placements of several routers in touch with each other, by letters that may be lost.
import { describe, expect, it } from 'vitest';
import { Gossip } from '../../../../src/selection/placement/gossip.ts';
import { decodeLetter } from '../../../../src/selection/placement/letters.ts';
import { fakeClock } from '../../../support/fake-clock.ts';
import { aJob, aStand } from './placed.ts';

const chunks = (count: number) => Array.from({ length: count }, (_, n) => n);

/** Routers on one clock; letters arrive at once, unless they are lost. */
function routers(count: number, backends = 4) {
  const clock = fakeClock(0);
  const way = { isOpen: true };
  const letters: (string | undefined)[] = [];
  const all = Array.from({ length: count }, (_, n) => {
    const stand = aStand(backends, { seed: n + 1, clock });
    const indexes = Array.from({ length: backends }, (__, backend) => backend);
    const router = { ...stand, isOn: true, inTouch: 0, written: [] as Uint8Array[] };
    const gossip = new Gossip({
      id: `${n}`.padStart(16, '0'),
      clock,
      placement: stand.placement,
      backends: () => indexes,
      isOn: () => router.isOn,
      send(letter) {
        router.written.push(letter);
        if (!way.isOpen) return;
        letters.push(decodeLetter(letter)?.kind);
        // Also to itself, as a channel does.
        for (const other of all) other.gossip.heard(letter);
      },
      inTouch: (now) => (router.inTouch = now),
    });
    gossip.start();
    return Object.assign(router, { gossip });
  });
  const [one, other] = all;
  if (one === undefined || other === undefined) throw new Error('two at least');
  return { clock, way, letters, all, one, other };
}

describe('routers in touch', () => {
  it('know of each other, and what each has sent where', () => {
    const { clock, all, one, other } = routers(3);
    clock.advance(100);
    expect(all.map(({ inTouch }) => inTouch)).toEqual([3, 3, 3]);
    const { backend, charge } = one.place(aJob());
    clock.advance(100);
    expect(other.placement.loads.requestsAt(backend)).toBe(1);
    charge.end();
    clock.advance(100);
    expect(other.placement.loads.requestsAt(backend)).toBe(0);
  });

  it('send a conversation where another has begun it', () => {
    const { clock, one, other } = routers(2, 6);
    clock.advance(100);
    const { backend, charge } = one.place(aJob({ chunks: chunks(40) }));
    charge.end();
    clock.advance(100);
    expect(other.order(aJob({ chunks: chunks(42) }))[0]).toBe(backend);
  });

  it('write once a second while nothing changes, and everything every five', () => {
    const { clock, letters } = routers(2);
    clock.advance(5_000);
    letters.length = 0;
    clock.advance(10_000);
    expect(letters.filter((kind) => kind === 'whole')).toHaveLength(4);
    expect(letters.filter((kind) => kind === 'news')).toHaveLength(16);
    expect(letters).toHaveLength(20);
  });

  it('ask for everything when a letter was lost, and get it', () => {
    const { clock, way, letters, one, other } = routers(2);
    clock.advance(100);
    way.isOpen = false;
    const { backend } = one.place(aJob());
    clock.advance(100);
    way.isOpen = true;
    expect(other.placement.loads.requestsAt(backend)).toBe(0);
    letters.length = 0;
    one.placement.book((backend + 1) % 4, aJob());
    clock.advance(200);
    expect(letters).toContain('wanted');
    expect(other.placement.loads.requestsAt(backend)).toBe(1);
  });

  it('do not believe a letter that others have overtaken', () => {
    const { clock, one, other } = routers(2);
    clock.advance(100);
    const { backend, charge } = one.place(aJob());
    clock.advance(100);
    const old = one.written.at(-1);
    charge.end();
    clock.advance(100);
    if (old !== undefined) other.gossip.heard(old);
    expect(other.placement.loads.requestsAt(backend)).toBe(0);
  });

  it('forget who is silent for two seconds, go on alone, and find each other again', () => {
    const { clock, way, one, other } = routers(2);
    clock.advance(100);
    const { backend } = one.place(aJob());
    clock.advance(100);
    way.isOpen = false;
    clock.advance(1_900);
    expect(other.placement.routers).toBe(2);
    clock.advance(300);
    expect([one.inTouch, other.inTouch]).toEqual([1, 1]);
    expect(other.placement.loads.requestsAt(backend)).toBe(0);
    way.isOpen = true;
    clock.advance(1_200);
    expect([one.inTouch, other.inTouch]).toEqual([2, 2]);
    expect(other.placement.loads.requestsAt(backend)).toBe(1);
  });

  it('forget at once who says farewell', () => {
    const { clock, one, other } = routers(2);
    clock.advance(100);
    one.place(aJob());
    clock.advance(100);
    one.gossip.stop();
    expect(other.inTouch).toBe(1);
    expect([0, 1, 2, 3].map((backend) => other.placement.loads.requestsAt(backend))).toEqual([0, 0, 0, 0]);
  });

  it('neither write nor listen while requests are placed by another policy', () => {
    const { clock, letters, one, other } = routers(2);
    one.isOn = false;
    clock.advance(1_000);
    expect(letters.length).toBeGreaterThan(0);
    expect([one.inTouch, other.inTouch]).toEqual([1, 1]);
    one.isOn = true;
    clock.advance(1_200);
    expect([one.inTouch, other.inTouch]).toEqual([2, 2]);
  });

  it('are not disturbed by bytes that are no letter', () => {
    const { clock, one } = routers(2);
    one.gossip.heard(Uint8Array.of(1, 0, 3));
    clock.advance(100);
    expect(one.inTouch).toBe(2);
  });
});
