// Models that stand in for one whose own members are down or full.
import { describe, expect, it, vi } from 'vitest';
import { type RouterWishes, routerPerTest } from '../support/running-router.ts';
import { answer, fault, reply, stallsAfter } from '../support/scripted/behaviours.ts';
import { anAuth } from '../support/a-fleet.ts';
import { createHash } from 'node:crypto';

const { start } = routerPerTest();

const causes = ['no_backend', 'overloaded'] as const;

/** Two boxes with a model each; `main` falls back to `spare`. */
function fleet(
  fallback: Partial<Record<(typeof causes)[number], readonly string[]>>,
  more: RouterWishes = {},
): RouterWishes {
  return {
    engines: ['main', 'spare'].map((id) => ({
      imitates: 'vllm',
      models: [{ id }],
      backend: { name: `${id}-box`, maxInFlight: 1 },
    })),
    models: { main: { fallback: { no_backend: [], overloaded: [], ...fallback } } },
    queue: { maxLength: 10, maxWaitMs: 20_000 },
    ...more,
  };
}

const described = (answered: Response) => [
  answered.status,
  answered.headers.get('x-switchyard-backend'),
  answered.headers.get('x-switchyard-model'),
  answered.headers.get('x-switchyard-fallback'),
];

async function down(router: Awaited<ReturnType<typeof start>>): Promise<void> {
  await router.engine.crash();
  await vi.waitFor(() => expect(router.service.states[0]?.health).toBe('down'));
}

describe('a model without anybody who is up', () => {
  it('is answered for by its fallback, under the name that was asked for', async () => {
    const router = await start(fleet({ no_backend: ['missing', 'spare'] }));
    await down(router);
    const answered = await router.chat({ model: 'main' });
    expect(described(answered)).toEqual([200, 'spare-box', 'spare', 'no_backend']);
    // Nobody who is down was tried before.
    expect(answered.headers.get('x-switchyard-attempts')).toBe('1');
    expect(await answered.json()).toMatchObject({ model: 'main' });
    expect(router.engines[1]?.posts[0]?.json).toMatchObject({ model: 'spare' });
    expect(router.log.at(-1)).toMatchObject({ model: 'main', fallback_model: 'spare', fallback_cause: 'no_backend' });
    const labels = { model: 'main', to: 'spare', cause: 'no_backend' };
    expect(await router.metric('switchyard_fallbacks_total', labels)).toBe(1);
  });

  it('is answered for also where no backend has ever been seen with it', async () => {
    const router = await start(
      fleet({ no_backend: ['spare'] }, { engines: [{ imitates: 'vllm', models: ['spare'] }] }),
    );
    router.engine.respond([answer({ firstMs: 20 })]);
    expect(described(await router.chat({ model: 'main' }))).toEqual([200, 'b0', 'spare', 'no_backend']);
  });

  it('is not answered for where only a full one would be', async () => {
    const router = await start(fleet({ overloaded: ['spare'] }));
    await down(router);
    const answered = await router.chat({ model: 'main' });
    // The panic rule has tried the box that is down; nobody else may be asked.
    expect(described(answered)).toEqual([503, 'main-box', 'main', null]);
    expect(await answered.json()).toMatchObject({ error: { type: 'no_backend' } });
  });

  it('is waited for at its fallback when that is full, in the room of the model asked for', async () => {
    const router = await start(fleet({ no_backend: ['spare'] }));
    await down(router);
    router.engines[1]?.respond([stallsAfter(2)]);
    const gone = new AbortController();
    const stream = await router.chat({ model: 'spare', stream: true }, { signal: gone.signal });
    const waiting = router.chat({ model: 'main' });
    await vi.waitFor(async () => expect(await router.metric('switchyard_queue_length', { model: 'main' })).toBe(1));
    gone.abort();
    await stream.text().catch(() => '');
    expect(described(await waiting)).toEqual([200, 'spare-box', 'spare', 'no_backend']);
  });
});

describe('who waits for a fallback', () => {
  it('is served in turn, not behind all that come later for that model', async () => {
    const router = await start(fleet({ no_backend: ['spare'] }));
    await down(router);
    router.engines[1]?.respond([stallsAfter(2), answer()]);
    const gone = new AbortController();
    const stream = await router.chat({ model: 'spare', stream: true }, { signal: gone.signal });
    const first = router.chat({ model: 'main', seed: 1 });
    await vi.waitFor(() => expect(router.service.held().waiting).toBe(1));
    const second = router.chat({ model: 'spare', seed: 2 });
    await vi.waitFor(() => expect(router.service.held().waiting).toBe(2));
    gone.abort();
    await Promise.all([stream.text().catch(() => ''), first, second]);
    expect(router.engines[1]?.posts.map(({ json }) => json['seed'])).toEqual([undefined, 1, 2]);
  });

  it('does not wait beside a free box that those before it can not use', async () => {
    const [main, spare] = fleet({}).engines ?? [];
    const backend = { maxInFlight: 1, capabilities: { tools: false } };
    const boxes = [main, spare, { ...spare, imitates: 'vllm', backend }] as const;
    const engines = boxes.flatMap((box) => box ?? []);
    const router = await start(fleet({ no_backend: ['spare'] }, { engines }));
    await down(router);
    const tools = [{ type: 'function', function: { name: 'f' } }];
    router.engines[1]?.respond([stallsAfter(2), answer()]);
    const gone = new AbortController();
    const stream = await router.chat({ model: 'spare', stream: true, tools }, { signal: gone.signal });
    const waiting = router.chat({ model: 'spare', tools });
    await vi.waitFor(() => expect(router.service.held().waiting).toBe(1));
    expect(described(await router.chat({ model: 'main' }))).toEqual([200, 'b2', 'spare', 'no_backend']);
    expect(router.service.held().waiting).toBe(1);
    gone.abort();
    await Promise.all([stream.text().catch(() => ''), waiting]);
  });
});

describe('a model whose members are full', () => {
  it('is answered for at once, and by its own again when they have room', async () => {
    const router = await start(fleet({ overloaded: ['spare'] }));
    router.engine.respond([stallsAfter(2), answer()]);
    const gone = new AbortController();
    const stream = await router.chat({ model: 'main', stream: true }, { signal: gone.signal });
    expect(described(await router.chat({ model: 'main' }))).toEqual([200, 'spare-box', 'spare', 'overloaded']);
    gone.abort();
    await stream.text().catch(() => '');
    await vi.waitFor(() => expect(router.service.held().inFlight).toBe(0));
    expect(described(await router.chat({ model: 'main' }))).toEqual([200, 'main-box', 'main', null]);
  });
});

describe('a fallback', () => {
  it('gets what the last member has failed with', async () => {
    const router = await start(fleet({ no_backend: ['spare'] }));
    router.engine.respond([fault('internal', { as: 'status' })]);
    const answered = await router.chat({ model: 'main' });
    expect(described(answered)).toEqual([200, 'spare-box', 'spare', 'no_backend']);
    expect(answered.headers.get('x-switchyard-attempts')).toBe('2');
  });

  it('does not get a request that was at fault itself', async () => {
    const router = await start(fleet({ no_backend: ['spare'], overloaded: ['spare'] }));
    router.engine.respond([
      fault('overflow'),
      reply(400, { error: { message: 'no', type: 'BadRequestError', code: 400 } }),
    ]);
    expect((await router.chat({ model: 'main' })).status).toBe(400);
    expect((await router.chat({ model: 'main' })).status).toBe(400);
    expect(router.engines[1]?.posts).toHaveLength(0);
  });

  it('is nothing for a key that may not use it', async () => {
    const sha256 = createHash('sha256').update('key').digest('hex');
    const auth = anAuth({ mode: 'keys', keys: [{ tenant: 't', sha256, models: ['main'] }] });
    const router = await start(fleet({ no_backend: ['spare'] }, { auth }));
    await down(router);
    const answered = await router.chat({ model: 'main' }, { headers: { authorization: 'Bearer key' } });
    expect([answered.status, router.engines[1]?.posts.length]).toEqual([503, 0]);
  });
});
