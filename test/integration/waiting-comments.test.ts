// Streams that are told while they wait, and everything that then has to be told inside the stream.
import { describe, expect, it, vi } from 'vitest';
import { type RouterWishes, type RunningRouter, routerPerTest } from '../support/running-router.ts';
import { answer, type Behaviour, fault, reply, stallsAfter } from '../support/scripted/behaviours.ts';

const { start } = routerPerTest();
const one: RouterWishes = {
  engines: [{ imitates: 'vllm', backend: { maxInFlight: 1 } }],
  queue: { maxLength: 10, maxWaitMs: 20_000, comments: true },
};

/** All that came, and whether the transport ended well. */
async function read(response: Response): Promise<{ readonly text: string; readonly whole: boolean }> {
  let text = '';
  const decoder = new TextDecoder();
  try {
    for await (const chunk of response.body ?? []) text += decoder.decode(chunk, { stream: true });
    return { text, whole: true };
  } catch {
    return { text, whole: false };
  }
}

/** One stream holds the only slot, the next one waits, and meets `then` once the slot is free. */
async function waitFor(router: RunningRouter, then: readonly Behaviour[]) {
  router.engine.respond([stallsAfter(2), ...then]);
  const gone = new AbortController();
  const first = await router.chat({ stream: true }, { signal: gone.signal });
  const waiting = await router.chat({ stream: true });
  expect(router.service.held().waiting).toBe(1);
  gone.abort();
  await first.text().catch(() => '');
  return waiting;
}

describe('a stream that waits and is told so', () => {
  it('has its head at once, then comments, its events, and what headers could not tell', async () => {
    const router = await start(one);
    const waiting = await waitFor(router, [answer({ count: 3 })]);
    expect([waiting.status, waiting.headers.get('content-type')]).toEqual([200, 'text/event-stream']);
    expect(waiting.headers.get('x-switchyard-backend')).toBe('none');
    const { text, whole } = await read(waiting);
    expect(whole).toBe(true);
    const lines = text.split('\n').filter((line) => line !== '');
    expect(lines[0]).toBe(': queued position=1');
    expect(lines.at(-2)).toBe('data: [DONE]');
    expect(lines.at(-1)).toMatch(
      /^: switchyard backend=b0 attempts=1 model=test-model queue_ms=\d+ route_ms=[\d.]+ connect_ms=[\d.]+ ttft_ms=\d+ duration_ms=\d+$/,
    );
    expect(text.match(/"content":"t\d /g)).toEqual(['"content":"t1 ', '"content":"t2 ', '"content":"t3 ']);
    expect(router.log.at(-1)).toMatchObject({ outcome: 'ok', status: 200 });
  });

  it('that waits too long ends with an error event, without [DONE] and without an end', async () => {
    const router = await start({ ...one, queue: { maxLength: 10, maxWaitMs: 100, comments: true } });
    router.engine.respond([stallsAfter(2)]);
    const gone = new AbortController();
    const first = await router.chat({ stream: true }, { signal: gone.signal });
    const { text, whole } = await read(await router.chat({ stream: true }));
    expect(whole).toBe(false);
    const events = text.split('\n\n').filter((event) => event.startsWith('data: '));
    expect(events).toHaveLength(1);
    expect(JSON.parse(events[0]?.slice(6) ?? '')).toMatchObject({ error: { type: 'overloaded' } });
    expect(router.log.at(-1)).toMatchObject({ outcome: 'overloaded', status: 200 });
    gone.abort();
    await first.text().catch(() => '');
  });

  it('is still tried elsewhere before its first content', async () => {
    const router = await start({ ...one, engines: [...(one.engines ?? []), ...(one.engines ?? [])] });
    for (const engine of router.engines) engine.respond([stallsAfter(2)]);
    const open = () => ({ gone: new AbortController() });
    const [first, second] = [open(), open()];
    const held = [
      await router.chat({ stream: true }, { signal: first.gone.signal }),
      await router.chat({ stream: true }, { signal: second.gone.signal }),
    ];
    const waiting = await router.chat({ stream: true });
    const [freed, other] = held[0]?.headers.get('x-switchyard-backend') === 'b0' ? [0, 1] : [1, 0];
    router.engines[freed]?.respond([fault('internal', { as: 'status' })]);
    router.engines[other]?.respond([answer({ count: 3 })]);
    first.gone.abort();
    // Failed at the one, it waits for the other, which is still full.
    await router.engines[freed]?.when((engine) => engine.posts.length === 2 && engine.inFlight === 0);
    await vi.waitFor(() => expect(router.service.held()).toMatchObject({ waiting: 1, inFlight: 1 }));
    second.gone.abort();
    const { text, whole } = await read(waiting);
    expect(whole).toBe(true);
    expect(text).toContain('data: [DONE]');
    expect(text).toContain(`: switchyard backend=b${other} attempts=2 `);
    await Promise.all(held.map((stream) => stream.text().catch(() => '')));
  });

  it('gets a backend’s own refusal as its last event', async () => {
    const router = await start(one);
    const refusal = { error: { message: 'no such thing', type: 'BadRequestError', param: null, code: 400 } };
    const { text, whole } = await read(await waitFor(router, [reply(400, refusal)]));
    expect(whole).toBe(false);
    expect(text).toContain(`data: ${JSON.stringify(refusal)}\n\n`);
    expect(text).not.toContain('[DONE]');
    expect(text).toContain(': switchyard backend=b0 attempts=1');
  });

  it.each([
    ['what is no error object', reply(400, { detail: 'no such thing' })],
    ['an error without a name', reply(400, { object: 'error', message: 'no such thing', code: 400 })],
    ['no JSON', reply(400, 'no such thing')],
  ])('gets %s as an error event all the same', async (_what, behaviour) => {
    const router = await start(one);
    const { text, whole } = await read(await waitFor(router, [behaviour]));
    expect(whole).toBe(false);
    const event = text.split('\n\n').find((part) => part.startsWith('data: '));
    expect(JSON.parse(event?.slice(6) ?? '')).toMatchObject({ error: { type: 'backend_rejected' } });
  });

  it('does not take an answer in one piece for a stream', async () => {
    const router = await start(one);
    const { text } = await read(await waitFor(router, [answer({ shape: 'plain' })]));
    expect(text).toContain('"type":"backend_broken"');
  });
});

describe('a plain request that waits', () => {
  it('is told nothing', async () => {
    const router = await start(one);
    router.engine.respond([stallsAfter(2)]);
    const gone = new AbortController();
    const first = await router.chat({ stream: true }, { signal: gone.signal });
    const plain = router.chat();
    await vi.waitFor(() => expect(router.service.held().waiting).toBe(1));
    router.engine.respond([answer()]);
    gone.abort();
    await first.text().catch(() => '');
    expect((await plain).headers.get('content-type')).toContain('application/json');
  });
});
