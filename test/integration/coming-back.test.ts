// What a backend gets that has been away.
import { describe, expect, it } from 'vitest';
import { routerPerTest } from '../support/running-router.ts';
import { answer } from '../support/scripted/behaviours.ts';

const { start, current } = routerPerTest();
const healthOf = (name: string) => current().service.states.find((state) => state.name === name)?.health;

describe('slow start', () => {
  const fleet = {
    engines: [{ imitates: 'vllm', backend: { maxInFlight: 10, models: ['test-model'] } }],
    queue: { maxLength: 50, maxWaitMs: 20_000 },
    slowStartMs: 3_600_000,
  } as const;

  it('does not slow down a router that has just started', async () => {
    const router = await start(fleet);
    router.engine.respond(answer({ delayMs: 300 }));
    const all = Array.from({ length: 10 }, () => router.chat());
    await router.engine.when(({ inFlight }) => inFlight === 10);
    expect((await Promise.all(all)).map(({ status }) => status)).toEqual(Array.from({ length: 10 }, () => 200));
  });

  it('lets a backend that was down and is up again have one after the other at first', async () => {
    const router = await start(fleet);
    await router.engine.crash();
    await expect.poll(() => healthOf('b0')).toBe('down');
    await router.engine.listen();
    await expect.poll(() => healthOf('b0')).toBe('up');
    let most = 0;
    const watched = router.engine.when(({ inFlight, posts }) => {
      most = Math.max(most, inFlight);
      return posts.length === 8 && inFlight === 0;
    });
    router.engine.respond(answer({ delayMs: 20 }));
    const all = Array.from({ length: 8 }, () => router.chat());
    expect((await Promise.all(all)).map(({ status }) => status)).toEqual(Array.from({ length: 8 }, () => 200));
    await watched;
    expect(most).toBe(1);
  });
});
