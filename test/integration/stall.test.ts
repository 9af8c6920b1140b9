// An engine that hangs although its health endpoint says that it is well.
import { expect, it } from 'vitest';
import { routerPerTest } from '../support/running-router.ts';
import { answer } from '../support/scripted/behaviours.ts';

const { start } = routerPerTest();
const hang = { kind: 'hang', after: 'nothing' } as const;
const hangAfterHead = { kind: 'hang', after: 'head' } as const;

it.each([
  ['plain answers', hang, false],
  ['streams whose head came', hangAfterHead, true],
] as const)('is avoided while others are left, and told once: %s', async (_what, hanging, stream) => {
  const { chat, engines, log, metric } = await start({
    engines: [
      { imitates: 'vllm', backend: { weight: 1_000, stallAfterMs: 150 } },
      { imitates: 'vllm', backend: { stallAfterMs: 150 } },
    ],
  });
  const [hung, fine] = engines;
  hung?.respond(hanging);
  const gone = new AbortController();
  const lost = [0, 1].map(() => chat({ stream }, { signal: gone.signal }).catch(() => undefined));
  await expect.poll(() => metric('switchyard_backend_stalled', { backend: 'b0' })).toBe(1);
  expect(await metric('switchyard_backend_up', { backend: 'b0' })).toBe(1);
  for (let n = 0; n < 5; n++) {
    const response = await chat({ stream });
    expect([response.status, response.headers.get('x-switchyard-backend')]).toEqual([200, 'b1']);
    await response.text();
  }
  expect([hung?.posts.length, fine?.posts.length]).toEqual([2, 5]);
  gone.abort();
  await Promise.all(lost);
  await expect.poll(() => metric('switchyard_backend_stalled', { backend: 'b0' })).toBe(0);
  const told = log.filter((line) => line['stalled'] !== undefined).map((line) => [line['backend'], line['stalled']]);
  expect(told).toEqual([
    ['b0', true],
    ['b0', false],
  ]);
});

it('lets those that wait go to a backend that has come out of its stall', async () => {
  const { chat, engine, engines, metric } = await start({
    engines: [
      { imitates: 'vllm', backend: { weight: 1_000, stallAfterMs: 150, maxInFlight: 3 } },
      { imitates: 'vllm', backend: { stallAfterMs: 0, maxInFlight: 1 } },
    ],
    queue: { maxLength: 10, maxWaitMs: 20_000 },
  });
  engine.respond([answer({ delayMs: 1_500 }), answer({ delayMs: 1_500 }), answer()]);
  engines[1]?.respond(hang);
  const first = [chat(), chat()];
  await expect.poll(() => metric('switchyard_backend_stalled', { backend: 'b0' })).toBe(1);
  const gone = new AbortController();
  const blocks = chat({}, { signal: gone.signal }).catch(() => undefined);
  await engines[1]?.when(({ posts }) => posts.length === 1);
  const waits = await chat();
  expect([waits.status, waits.headers.get('x-switchyard-backend')]).toEqual([200, 'b0']);
  gone.abort();
  await Promise.all([...first, blocks]);
});
