import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../support/seeded-random.ts';
import { profiles } from '../replica/profiles.ts';
import { PeerRouter, type RuleMaker } from '../routers/peer-router.ts';
import { traceOf } from '../trace/trace.ts';
import { VirtualTime } from '../virtual-time.ts';
import { aibrixPrefixCache } from './aibrix-prefix-cache.ts';
import { boundedPrefixHash } from './bounded-prefix-hash.ts';
import { dynamo } from './dynamo.ts';
import { History } from './history.ts';
import { llmDSticky } from './llm-d-sticky.ts';
import { llmDWeighted } from './llm-d-weighted.ts';
import { lmetric } from './lmetric.ts';
import { sessionHash } from './session-hash.ts';
import { sglangCacheAware } from './sglang-cache-aware.ts';

/** Conversation a: 0 and 1, a turn later. Conversation b: 2. Long and unlike all: 3. */
const trace = traceOf(
  'peers',
  [
    { at: 0, input: 1024, output: 1, blocks: [1, 2], block_tokens: 512 },
    { at: 0, input: 1200, output: 1, blocks: [1, 2], block_tokens: 512 },
    { at: 0, input: 1024, output: 1, blocks: [5, 6], block_tokens: 512 },
    { at: 0, input: 100_000, output: 1, blocks: [], block_tokens: 512 },
  ],
  'peers',
);
const able = [0, 1, 2, 3];

function routerWith(rule: RuleMaker, id = 0): PeerRouter {
  const { '8b-a100': profile } = profiles;
  const parts = {
    id,
    routers: 2,
    weights: able.map(() => 1),
    prefillPerS: 1 / profile.cp,
    kvTokens: profile.kvTokens,
    profile,
    trace,
    time: new VirtualTime(),
    random: seededRandom(id + 1),
    sessionHeaders: false,
    cachedOn: () => 0,
  };
  return new PeerRouter(parts, rule);
}

function request(index: number) {
  const found = trace.requests[index];
  if (found === undefined) throw new Error('no request');
  return found;
}

const remembering = {
  sglang: sglangCacheAware({ threshold: 0.5, absolute: 32, relative: 1.1 }),
  aibrix: aibrixPrefixCache({ imbalance: 8, sigmas: 1 }),
  'llm-d weighted': llmDWeighted({}),
  'llm-d sticky': llmDSticky({ match: 0.8, penaltyS: 18 }),
  dynamo: dynamo({ weight: 1, events: false }),
  lmetric,
};

describe.each(Object.entries(remembering))('the rule of %s', (_, rule) => {
  it('sends the next turn where the first one went', () => {
    const router = routerWith(rule);
    const first = router.place(request(0), able);
    first.firstToken();
    first.ended({ ok: true, cachedTokens: 0, generated: 1 });
    for (let n = 0; n < 5; n++) {
      const next = router.place(request(1), able);
      next.ended({ ok: true, cachedTokens: 0, generated: 1 });
      expect(next.backend).toBe(first.backend);
    }
  });

  it('knows of what another router has sent once it is told', () => {
    const [one, other] = [routerWith(rule, 0), routerWith(rule, 1)];
    const first = one.place(request(0), able);
    first.ended({ ok: true, cachedTokens: 0, generated: 1 });
    one.news()(other);
    expect(other.place(request(1), able).backend).toBe(first.backend);
  });
});

describe('the rule of sglang', () => {
  it('takes the least loaded once the pool is out of balance', () => {
    const router = routerWith(remembering.sglang);
    const backends = Array.from({ length: 40 }, () => router.place(request(0), able).backend);
    const [first] = backends;
    expect(backends.slice(0, 33).every((backend) => backend === first)).toBe(true);
    expect(backends.slice(33, 36).some((backend) => backend === first)).toBe(false);
  });
});

describe('the rule of aibrix', () => {
  it('leaves a holder that has more than a deviation above the mean', () => {
    const router = routerWith(remembering.aibrix);
    const first = router.place(request(0), able).backend;
    expect(router.place(request(1), able).backend).not.toBe(first);
  });
});

describe('the rule of llm-d sticky', () => {
  it('opens up when the warm backend has 18 s more to compute', () => {
    const router = routerWith(remembering['llm-d sticky']);
    const { backend } = router.place(request(0), able);
    for (let n = 0; n < 2; n++) router.place(request(3), [backend]);
    expect(router.place(request(1), able).backend).toBe(backend);
    router.place(request(3), [backend]);
    expect(router.place(request(1), able).backend).not.toBe(backend);
  });
});

describe('hashing', () => {
  it('keeps a session on its backend, and moves it only when that is away', () => {
    const router = routerWith(sessionHash);
    const { backend } = router.place(request(0), able);
    for (let n = 0; n < 20; n++) expect(router.place(request(1), able).backend).toBe(backend);
    expect(
      router.place(
        request(1),
        able.filter((other) => other !== backend),
      ).backend,
    ).not.toBe(backend);
  });

  it('with a bound adds nothing to what has 1.25 times the mean', () => {
    const router = routerWith(boundedPrefixHash);
    const counts = [0, 0, 0, 0];
    for (let n = 1; n <= 80; n++) {
      const { backend } = router.place(request(0), able);
      counts[backend] = (counts[backend] ?? 0) + 1;
      expect(Math.max(...counts)).toBeLessThanOrEqual((1.25 * n) / 4 + 1);
    }
  });
});

describe('a history', () => {
  it('holds what was used last, and always the beginning of what it holds', () => {
    const history = new History(1, { blockTokens: 512, maxTokens: 3 * 512 }, () => 0);
    history.add(request(0), 0);
    history.add(request(2), 0);
    expect([history.matched(request(0), 0), history.matched(request(2), 0)]).toEqual([512, 1024]);
    history.forget(0);
    expect(history.matched(request(2), 0)).toBe(0);
  });

  it('forgets after a while', () => {
    let nowS = 0;
    const history = new History(1, { blockTokens: 512, maxTokens: 1e6, ttlS: 120 }, () => nowS);
    history.add(request(0), 0);
    nowS = 121;
    expect(history.matched(request(0), 0)).toBe(0);
  });
});
