// A program that gives up on the official Node SDK: the engine must see it at once, wherever the request is.
import { APIConnectionTimeoutError, APIUserAbortError } from 'openai';
import { describe, expect, it } from 'vitest';
import { hang, stallsAfter } from '../support/scripted/behaviours.ts';
import { expectNothingHeld } from '../support/running-router.ts';
import { failureOf, imitated, messages, model, oneOf, openaiOf, routersOfTest } from './clients-of-test.ts';

const start = routersOfTest();

describe.each(imitated)('a stream of %s that is given up in the middle', (kind) => {
  it('by an AbortController ends at the engine too', async () => {
    const router = await start(oneOf(kind));
    router.engine.respond(stallsAfter(3));
    const gone = new AbortController();
    const request = { model, messages, stream: true as const };
    const stream = await openaiOf(router).chat.completions.create(request, { signal: gone.signal });
    let chunks = 0;
    for await (const chunk of stream) {
      chunks += chunk.choices.length;
      gone.abort();
    }
    expect(chunks).toBeGreaterThan(0);
    await router.engine.when(({ abortsSeen }) => abortsSeen === 1);
    await expectNothingHeld(router);
  });

  it('by leaving the loop ends at the engine too', async () => {
    const router = await start(oneOf(kind));
    router.engine.respond(stallsAfter(3));
    for await (const chunk of await openaiOf(router).chat.completions.create({ model, messages, stream: true })) {
      expect(chunk.model).toBe(model);
      break;
    }
    await router.engine.when(({ abortsSeen }) => abortsSeen === 1);
    await expectNothingHeld(router);
  });
});

describe('what is given up', () => {
  it('by the abort of the stream helper raises an APIUserAbortError, and ends at the engine', async () => {
    const router = await start();
    router.engine.respond(stallsAfter(3));
    const stream = openaiOf(router).chat.completions.stream({ model, messages });
    stream.on('content', () => stream.abort());
    expect(await failureOf(stream.finalContent())).toBeInstanceOf(APIUserAbortError);
    await router.engine.when(({ abortsSeen }) => abortsSeen === 1);
    await expectNothingHeld(router);
  });

  it.each([
    ['a chat', { path: '/chat/completions', body: { model, messages } }, hang()],
    ['a streamed chat', { path: '/chat/completions', body: { model, messages, stream: true } }, hang()],
    [
      'a streamed chat behind the head of the engine',
      { path: '/chat/completions', body: { model, messages, stream: true } },
      hang('head'),
    ],
    ['a completion', { path: '/completions', body: { model, prompt: 'Once' } }, hang()],
    ['embeddings', { path: '/embeddings', body: { model, input: 'a' } }, hang()],
  ] as const)('before its first byte ends at the engine too (%s)', async (_name, { path, body }, behaviour) => {
    const router = await start({ engines: [{ imitates: 'vllm', can: { embeddings: true } }] });
    router.engine.respond(behaviour);
    const gone = new AbortController();
    const ending = failureOf(openaiOf(router).post(path, { body, signal: gone.signal }));
    await router.engine.when(({ posts }) => posts[0]?.received === true);
    gone.abort();
    expect(await ending).toBeInstanceOf(APIUserAbortError);
    await router.engine.when(({ abortsSeen }) => abortsSeen === 1);
    await expectNothingHeld(router);
    expect(router.engine.posts).toHaveLength(1);
  });

  it("by the SDK's own timeout ends at the engine too, each time that it repeats", async () => {
    const router = await start();
    router.engine.respond(hang());
    const client = openaiOf(router, { timeout: 100, maxRetries: 1 });
    const failure = await failureOf(client.chat.completions.create({ model, messages }));
    expect(failure).toBeInstanceOf(APIConnectionTimeoutError);
    await router.engine.when(({ abortsSeen }) => abortsSeen === 2);
    await expectNothingHeld(router);
  });

  it('is counted as the caller going away, and does the backend no harm', async () => {
    const router = await start();
    router.engine.respond(stallsAfter(3));
    for (let n = 1; n <= 6; n++) {
      const stream = await openaiOf(router).chat.completions.create({ model, messages, stream: true });
      stream.controller.abort();
      await router.engine.when(({ abortsSeen }) => abortsSeen === n);
    }
    await expect.poll(() => router.log.filter(({ outcome }) => outcome === 'client_closed')).toHaveLength(6);
    expect(await router.metric('switchyard_circuit_state', { state: 'closed' })).toBe(1);
    router.engine.respond([]);
    const reply = await openaiOf(router).chat.completions.create({ model, messages });
    expect(reply.choices[0]?.message.content).toBe('t1 t2 t3 ');
  });
});
