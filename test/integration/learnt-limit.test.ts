// `max_in_flight: auto` in front of an engine that runs four requests at once and keeps the others in line.
import { expect, it } from 'vitest';
import { routerPerTest } from '../support/running-router.ts';
import { answer, fault } from '../support/scripted/behaviours.ts';

const { start } = routerPerTest();

it('finds about as many as the engine runs at once, and keeps the others where they can go elsewhere', async () => {
  const router = await start({
    engines: [{ imitates: 'vllm', slots: 4, backend: { maxInFlight: 'auto' } }],
    queue: { maxLength: 100, maxWaitMs: 20_000 },
  });
  const { engine, metric } = router;
  expect(await metric('switchyard_backend_max_inflight', { backend: 'b0' })).toBe(4);
  engine.respond(answer({ firstMs: 20, gapMs: 10, count: 5 }));
  let left = 240;
  const inLine: number[] = [];
  const caller = async () => {
    while (left-- > 0) {
      const response = await router.chat({ stream: true });
      await response.text();
      if (left < 120) inLine.push(engine.waiting);
    }
  };
  await Promise.all(Array.from({ length: 24 }, caller));
  expect(engine.posts).toHaveLength(240);
  const limit = await metric('switchyard_backend_max_inflight', { backend: 'b0' });
  expect(limit).toBeGreaterThanOrEqual(3);
  expect(limit).toBeLessThanOrEqual(10);
  // Of twenty that had nowhere else to be, hardly any stood in the engine's own line.
  expect(inLine.reduce((sum, one) => sum + one, 0) / inLine.length).toBeLessThan(6);
});

it('is lowered by an engine that says that it is full', async () => {
  const router = await start({
    engines: [{ imitates: 'tgi', backend: { maxInFlight: 'auto' } }],
    queue: { maxLength: 100, maxWaitMs: 20_000 },
  });
  router.engine.respond([answer({ delayMs: 200 }), answer({ delayMs: 200 }), fault('busy'), fault('busy')]);
  const statuses = await Promise.all(Array.from({ length: 4 }, async () => (await router.chat()).status));
  expect(statuses.toSorted((a, b) => a - b)).toEqual([200, 200, 429, 429]);
  expect(await router.metric('switchyard_backend_max_inflight', { backend: 'b0' })).toBeLessThan(4);
});

it('shows a bound that was set or told, and none where there is none', async () => {
  const { service, get } = await start({
    engines: [
      { imitates: 'vllm', backend: { maxInFlight: 7 } },
      { imitates: 'llamacpp', slots: 3 },
      { imitates: 'vllm' },
    ],
  });
  await service.discovered;
  const text = await (await get('/metrics')).text();
  const lines = text.split('\n').filter((line) => line.startsWith('switchyard_backend_max_inflight{'));
  expect(lines).toEqual([
    'switchyard_backend_max_inflight{backend="b0"} 7',
    'switchyard_backend_max_inflight{backend="b1"} 3',
  ]);
});
