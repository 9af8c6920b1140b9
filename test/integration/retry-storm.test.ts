// A fleet in which everything fails is not sent everything twice.
import { expect, it } from 'vitest';
import { routerPerTest } from '../support/running-router.ts';
import { errorEvent } from '../support/scripted/behaviours.ts';

const { start } = routerPerTest();

it('of many requests that fail together, only a part is tried again', async () => {
  const router = await start({ engines: [{ imitates: 'vllm' }, { imitates: 'vllm' }] });
  // Late enough for all to be there before the first fails.
  for (const engine of router.engines) engine.respond(errorEvent('internal', { shape: 'stream', delayMs: 400 }));
  const count = 60;
  const asked = Array.from({ length: count }, () => router.chat({ stream: true }));
  const statuses = (await Promise.all(asked)).map(({ status }) => status);
  expect(new Set(statuses)).toEqual(new Set([500]));
  const posts = router.engines.reduce((sum, engine) => sum + engine.posts.length, 0);
  expect(posts).toBeGreaterThan(count);
  expect(posts).toBeLessThanOrEqual(count * 1.2);
});
