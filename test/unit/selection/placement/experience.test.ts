// What answers teach: who is slower than its like, and who forgets sooner than was thought.
import { describe, expect, it } from 'vitest';
import { aJob, aStand, type Stand } from './placed.ts';

const chunks = Array.from({ length: 16 }, (_, n) => n);

/** So many requests on each, whose first token takes so many times as long as was expected of one that is as others. */
function serve(stand: Stand, times: number, factors: readonly number[]): void {
  for (let n = 0; n < times; n++)
    for (const [backend, factor] of factors.entries()) {
      const { charge, slowness } = book(stand, backend);
      stand.clock.advance(((charge.foreseen?.ttftMs ?? 0) * factor) / slowness);
      charge.token();
      charge.answered({ cachedTokens: undefined });
      charge.end();
    }
}

function book({ placement }: Stand, backend: number) {
  const slowness = placement.loads.slownessAt(backend);
  return { charge: placement.book(backend, aJob()), slowness };
}

describe('what is learnt of pace', () => {
  it('is how much slower one is than the middle of its like', () => {
    const stand = aStand(3);
    serve(stand, 200, [1, 1, 2]);
    const [a = 0, b = 0, c = 0] = stand.placement.loads.of.slowness;
    expect([a, b]).toEqual([expect.closeTo(1, 1), expect.closeTo(1, 1)]);
    // Differences of a fifth are taken for chance, here as well.
    expect(c).toBeCloseTo(2 * Math.exp(-0.2), 1);
  });

  it('is nothing of who has not been seen, however wrong all are', () => {
    const stand = aStand(4);
    serve(stand, 100, [6, 6, 6]);
    for (const slowness of stand.placement.loads.of.slowness.slice(0, 4)) expect(slowness).toBe(1);
  });

  it('is nothing where the difference is small', () => {
    const stand = aStand(3);
    serve(stand, 200, [1, 1, 1.15]);
    expect(Array.from(stand.placement.loads.of.slowness.slice(0, 3))).toEqual([1, 1, 1]);
  });

  it('is nothing by a start that had to wait, or that had more to compute than was thought', () => {
    const stand = aStand(2);
    const { placement, clock } = stand;
    for (let n = 0; n < 100; n++) {
      placement.book(1, aJob({ chunks })).end();
      const [ahead, behind] = [placement.book(1, aJob()), placement.book(1, aJob())];
      const missed = placement.book(1, aJob({ chunks: [...chunks, 100 + n, 101 + n, 102 + n, 103 + n] }));
      clock.advance(60_000);
      for (const charge of [behind, missed]) {
        charge.token();
        charge.answered({ cachedTokens: 0 });
      }
      for (const charge of [ahead, behind, missed]) charge.end();
      serve(stand, 1, [1]);
    }
    expect(placement.loads.of.slowness[1]).toBe(1);
  });

  it('is nothing where all are wrong alike', () => {
    const stand = aStand(3);
    serve(stand, 200, [5, 5, 5]);
    for (const slowness of stand.placement.loads.of.slowness.slice(0, 3)) expect(slowness).toBeCloseTo(1, 1);
  });

  it('stays within a quarter and four times of what was configured', () => {
    const stand = aStand(3);
    serve(stand, 400, [1, 1, 100]);
    expect(stand.placement.loads.of.slowness[2]).toBe(4);
  });
});

describe('what is learnt of memory', () => {
  it('is half as much after three large misses in a row, and as much as before after hits', () => {
    const stand = aStand(1);
    const { placement } = stand;
    const knows = (after: number) => {
      placement.book(0, aJob({ chunks })).end();
      for (let n = 0; n < after; n++) placement.book(0, aJob({ chunks: [n + after * 10_000] })).end();
      return placement.appraise(0, aJob({ chunks })).cachedTokens > 0;
    };
    // Twice 400,000 tokens are 3,125 chunks.
    expect(knows(2_000)).toBe(true);
    const answer = (cachedTokens: number) => {
      placement.book(0, aJob({ chunks })).end();
      const charge = placement.book(0, aJob({ chunks }));
      charge.answered({ cachedTokens });
      charge.end();
    };
    for (const cached of [0, 0, 4_000, 0, 0]) answer(cached);
    expect(knows(2_001)).toBe(true);
    for (const cached of [4_000, 0, 0, 0]) answer(cached);
    expect(knows(2_002)).toBe(false);
    answer(4_000);
    expect(knows(2_003)).toBe(true);
  });

  it('is nothing by a backend that does not tell', () => {
    const { placement } = aStand(1);
    placement.book(0, aJob({ chunks })).end();
    for (let n = 0; n < 5; n++) {
      const charge = placement.book(0, aJob({ chunks }));
      charge.answered({ cachedTokens: undefined });
      charge.end();
    }
    expect(placement.appraise(0, aJob({ chunks })).cachedTokens).toBeGreaterThan(0);
  });
});
