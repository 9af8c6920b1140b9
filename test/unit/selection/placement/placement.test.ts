// Where requests are placed, over many of them: with what is known, with what is stale, and by several routers.
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../../support/seeded-random.ts';
import { aJob, aStand } from './placed.ts';

const chunks = (from: number, count: number) => Array.from({ length: count }, (_, n) => from + n);

describe('a placement', () => {
  it('goes where the prompt is known, and elsewhere once that costs more', () => {
    const stand = aStand(8);
    const first = stand.place(aJob({ chunks: chunks(0, 32) }));
    first.charge.token();
    const second = aJob({ chunks: chunks(0, 34) });
    expect(stand.order(second)[0]).toBe(first.backend);
    for (let n = 0; n < 30; n++) stand.placement.book(first.backend, aJob({ chunks: chunks(10_000 * (n + 1), 32) }));
    expect(stand.order(second)[0]).not.toBe(first.backend);
  });

  it('knows nothing of a prompt where prefixes are not to be remembered', () => {
    const stand = aStand(4, { settings: { prefix: false } });
    const job = aJob({ chunks: chunks(0, 32) });
    const { backend, charge } = stand.place(job);
    charge.end();
    expect(stand.placement.appraise(backend, job).cachedTokens).toBe(0);
    expect(stand.placement.index.bytes).toBe(0);
  });

  it('is the same for the same seed', () => {
    const picks = (seed: number) => {
      const stand = aStand(100, { seed });
      const random = seededRandom(5);
      return Array.from({ length: 300 }, () => {
        const { backend, charge } = stand.place(aJob({ chunks: chunks(Math.floor(random() * 20) * 100, 20) }));
        if (random() < 0.5) charge.end();
        return backend;
      });
    };
    expect(picks(3)).toEqual(picks(3));
    expect(picks(3)).not.toEqual(picks(4));
  });

  it('spreads conversations that have little in common, also while nobody else is there', () => {
    const stand = aStand(4);
    const used = new Set<number>();
    for (let n = 0; n < 200; n++) {
      // A system prompt that all share, and a long context of their own.
      const { backend, charge } = stand.place(aJob({ chunks: [...chunks(0, 4), ...chunks(1_000 * (n + 1), 60)] }));
      charge.token();
      charge.end();
      used.add(backend);
      stand.clock.advance(1_000);
    }
    expect(used.size).toBe(4);
  });

  it('is nobody who may not take it', () => {
    const stand = aStand(8);
    const job = aJob({ chunks: chunks(0, 32) });
    const { backend } = stand.place(job);
    const others = Int32Array.from([0, 1, 2, 3, 4, 5, 6, 7].filter((other) => other !== backend));
    stand.placement.choose(others, others.length, job);
    const { shortlist } = stand.placement;
    for (let n = 0; n < shortlist.count; n++) expect(shortlist.backendAt(n)).not.toBe(backend);
  });

  it('compares holders, homes and a few others when there are many backends', () => {
    const stand = aStand(1_000);
    const job = aJob({ chunks: chunks(0, 32), session: 99 });
    const { backend, charge } = stand.place(job);
    charge.token();
    const order = stand.order(job);
    expect(order[0]).toBe(backend);
    expect(order.length).toBeLessThanOrEqual(14);
    const homes = aStand(1_000, { seed: 9 }).order(aJob({ session: 99 }));
    expect(order.filter((one) => homes.includes(one)).length).toBeGreaterThanOrEqual(2);
  });

  it('has a home for a conversation on every router alike, also while they do not hear of each other', () => {
    const [one, other] = [aStand(12, { seed: 1 }), aStand(12, { seed: 2 })];
    for (const { placement } of [one, other]) placement.cutOff = true;
    for (let n = 1; n <= 50; n++) {
      const job = aJob({ session: n, knownBytes: 14 * 1_024 });
      expect(one.order(job)[0]).toBe(other.order(job)[0]);
    }
  });

  it('does not herd: many routers with the same stale news of small differences spread what they get', () => {
    const [routers, backends] = [8, 32];
    const picks = Array.from({ length: backends }, () => 0);
    for (let router = 0; router < routers; router++) {
      const stand = aStand(backends, { seed: 100 + router });
      const { placement } = stand;
      for (let peer = 1; peer < routers; peer++) placement.incoming(`r${peer}`, { loads: [], prefixes: [] });
      for (let backend = 0; backend < backends; backend++)
        placement.reported(backend, { requests: 8 + (backend % 4), atMs: 0 });
      for (let n = 0; n < 64; n++) {
        const { backend, charge } = stand.place(aJob());
        charge.token();
        picks[backend] = (picks[backend] ?? 0) + 1;
      }
    }
    const mean = (routers * 64) / backends;
    expect(Math.max(...picks) / mean).toBeLessThanOrEqual(1.6);
  });
});

describe('several routers', () => {
  it('see the sums of their peers, and no longer than these are there', () => {
    const [one, other] = [aStand(4, { seed: 1 }), aStand(4, { seed: 2 })];
    other.placement.outgoing({ all: true });
    const { backend, charge } = other.place(aJob());
    one.placement.incoming('other', other.placement.outgoing({ all: false }));
    expect(one.placement.loads.requestsAt(backend)).toBe(1);
    expect(one.placement.loads.pendingAt(backend)).toBe(16 * 256);
    expect(one.placement.routers).toBe(2);
    charge.token();
    charge.end();
    one.placement.incoming('other', other.placement.outgoing({ all: false }));
    expect(one.placement.loads.requestsAt(backend)).toBe(0);
    other.placement.book(2, aJob());
    one.placement.incoming('other', other.placement.outgoing({ all: false }));
    one.placement.peers.forget('other');
    expect([0, 1, 2, 3].map((each) => one.placement.loads.residentAt(each))).toEqual([0, 0, 0, 0]);
    expect(one.placement.routers).toBe(1);
  });

  it('go where a peer has placed the beginning of a prompt', () => {
    const [one, other] = [aStand(6, { seed: 1 }), aStand(6, { seed: 2 })];
    other.placement.outgoing({ all: true });
    const { backend, charge } = other.place(aJob({ chunks: chunks(0, 100) }));
    charge.end();
    const message = other.placement.outgoing({ all: false });
    expect(message.prefixes[0]?.keys.length).toBeLessThanOrEqual(16);
    one.placement.incoming('other', message);
    expect(one.order(aJob({ chunks: chunks(0, 104) }))[0]).toBe(backend);
    // The deepest point is always told; between 64 KiB and 256 there is one every four.
    expect(one.placement.appraise(backend, aJob({ chunks: chunks(0, 100) })).cachedTokens).toBeGreaterThan(20_000);
  });

  it('are told only what has changed, unless they ask for all', () => {
    const stand = aStand(4);
    const { placement } = stand;
    expect(placement.outgoing({ all: false }).loads).toHaveLength(4);
    expect(placement.outgoing({ all: false })).toEqual({ loads: [], prefixes: [] });
    const { backend } = stand.place(aJob());
    expect(placement.outgoing({ all: false }).loads).toEqual([
      { backend, requests: 1, pending: 4_096, resident: 4_096 },
    ]);
    expect(placement.outgoing({ all: true }).loads).toHaveLength(4);
  });
});
