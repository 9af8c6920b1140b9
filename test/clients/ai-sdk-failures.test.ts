// The Vercel AI SDK when something goes wrong, its keys, and its embeddings.
import { createHash } from 'node:crypto';
import {
  APICallError,
  embed,
  embedMany,
  generateText,
  RetryError,
  streamText,
  type TextStreamPart,
  type ToolSet,
} from 'ai';
import { describe, expect, it } from 'vitest';
import { diesAfter, errorAfter, fault, hang, reply, stallsAfter } from '../support/scripted/behaviours.ts';
import { expectNothingHeld } from '../support/running-router.ts';
import { aiOf, all, failureOf, imitated, model, oneOf, routersOfTest } from './clients-of-test.ts';

const start = routersOfTest();
const prompt = 'Good morning';
const once = { prompt, maxRetries: 0 };
/** Without it the SDK prints what goes wrong in a stream. */
const quiet = { onError: () => {} };

describe('a key', () => {
  const secret = 'sk-team-0123456789';
  const keys = [{ tenant: 'team', sha256: createHash('sha256').update(secret).digest('hex') }];
  const guarded = { auth: { mode: 'keys' as const, keys } };

  it.each([
    ['apiKey', { apiKey: secret }],
    ['x-api-key', { headers: { 'x-api-key': secret } }],
  ])('is shown as %s', async (_name, options) => {
    const chat = aiOf(await start(guarded), options)(model);
    expect((await generateText({ model: chat, ...once })).text).toBe('t1 t2 t3 ');
  });

  it.each([{}, { apiKey: 'sk-wrong' }])('that is missing or wrong is an error that says so (%j)', async (options) => {
    const { engine, url } = await start(guarded);
    const failure = await failureOf(generateText({ model: aiOf({ url }, options)(model), prompt }));
    expect(APICallError.isInstance(failure)).toBe(true);
    expect(failure).toMatchObject({ statusCode: 401, isRetryable: false, data: { error: { type: 'unauthorized' } } });
    expect(engine.posts).toEqual([]);
  });
});

describe('an error', () => {
  const unknown = {
    statusCode: 404,
    isRetryable: false,
    message: expect.stringContaining('"gpt-9"'),
    data: { error: { type: 'model_not_found' } },
  };

  it('is an APICallError with the message and the type of the router', async () => {
    const failure = await failureOf(generateText({ model: aiOf(await start())('gpt-9'), prompt }));
    expect(APICallError.isInstance(failure)).toBe(true);
    expect(failure).toMatchObject(unknown);
  });

  it('before a stream is the same as its only part', async () => {
    const result = streamText({ model: aiOf(await start())('gpt-9'), prompt, ...quiet });
    const parts = await all(result.stream);
    expect(parts).toMatchObject([{ type: 'start' }, { type: 'error', error: unknown }]);
  });

  it('of a backend is read in its own words', async () => {
    const { engine, url } = await start();
    engine.respond(fault('invalid'));
    const failure = await failureOf(generateText({ model: aiOf({ url })(model), prompt }));
    expect(failure).toMatchObject({ statusCode: 400, isRetryable: false });
    expect(Object(failure).message).not.toContain('Backend');
    expect(engine.posts).toHaveLength(1);
  });

  it('that may pass is repeated by the SDK after the time told', async () => {
    const { engine, url } = await start();
    engine.respond([reply(429, { error: { message: 'slow down', type: 'requests' } }, { 'retry-after': '1' })]);
    const result = await generateText({ model: aiOf({ url })(model), prompt, maxRetries: 1 });
    expect(result.text).toBe('t1 t2 t3 ');
    const [first, second] = engine.posts;
    // Left alone, this SDK comes back after two seconds.
    expect((second?.startedAt ?? 0) - (first?.startedAt ?? 0)).toBeGreaterThan(900);
    expect((second?.startedAt ?? 0) - (first?.startedAt ?? 0)).toBeLessThan(1_900);
  });

  it('that stays is a RetryError with the last one in it', async () => {
    const { engine, url } = await start();
    engine.respond(reply(429, { error: { message: 'slow down', type: 'requests' } }, { 'retry-after': '0' }));
    const failure = await failureOf(generateText({ model: aiOf({ url })(model), prompt, maxRetries: 1 }));
    expect(RetryError.isInstance(failure)).toBe(true);
    expect(failure).toMatchObject({ lastError: { statusCode: 429, message: 'slow down' } });
  });
});

describe.each(imitated)('a stream of %s that breaks', (kind) => {
  it.each(['fin', 'reset', 'end'] as const)('says so in an error part, and then throws (%s)', async (how) => {
    const { engine, url } = await start(oneOf(kind));
    engine.respond(diesAfter(3, how));
    const result = streamText({ model: aiOf({ url })(model), ...once, ...quiet });
    const parts: TextStreamPart<ToolSet>[] = [];
    const failure = await failureOf(
      (async () => {
        for await (const part of result.stream) parts.push(part);
      })(),
    );
    expect(APICallError.isInstance(failure)).toBe(true);
    expect(parts.map((part) => (part.type === 'text-delta' ? part.text : '')).join('')).toMatch(/^t1 /);
    expect(parts.at(-1)).toMatchObject({
      type: 'error',
      error: { type: 'backend_broken', message: expect.stringContaining('"b0"') },
    });
  });
});

describe("an engine's own error behind content", () => {
  it('is an error part too', async () => {
    const { engine, url } = await start();
    engine.respond(errorAfter(3));
    const parts = await all(streamText({ model: aiOf({ url })(model), ...once, ...quiet }).stream);
    expect(parts.map(({ type }) => type)).toContain('error');
    expect(parts.filter((part) => part.type === 'finish' && part.finishReason === 'stop')).toEqual([]);
  });
});

describe('what is given up', () => {
  it.each([
    ['a text before its first byte', hang()],
    ['a text that the engine has begun to think about', hang('head')],
  ])('ends at the engine too (%s)', async (_name, behaviour) => {
    const router = await start();
    router.engine.respond(behaviour);
    const gone = new AbortController();
    const chat = aiOf(router)(model);
    const ending = failureOf(generateText({ model: chat, ...once, abortSignal: gone.signal }));
    await router.engine.when(({ posts }) => posts[0]?.received === true);
    gone.abort();
    expect(await ending).toHaveProperty('name', 'AbortError');
    await router.engine.when(({ abortsSeen }) => abortsSeen === 1);
    await expectNothingHeld(router);
  });

  it('in the middle of a stream ends at the engine too', async () => {
    const router = await start();
    router.engine.respond(stallsAfter(3));
    const gone = new AbortController();
    const result = streamText({ model: aiOf(router)(model), ...once, abortSignal: gone.signal });
    const types: string[] = [];
    for await (const part of result.stream) {
      types.push(part.type);
      if (part.type === 'text-delta') gone.abort();
    }
    expect(types.at(-1)).toBe('abort');
    await router.engine.when(({ abortsSeen }) => abortsSeen === 1);
    await expectNothingHeld(router);
  });
});

describe('embeddings', () => {
  it.each(['simulated', 'ollama', 'localai'] as const)('are made one by one and many at once by %s', async (kind) => {
    const embedder = aiOf(await start(oneOf(kind))).embeddingModel(model);
    const one = await embed({ model: embedder, value: 'a', maxRetries: 0 });
    const many = await embedMany({ model: embedder, values: ['a', 'b'], maxRetries: 0 });
    expect(many.embeddings).toHaveLength(2);
    expect(many.embeddings[0]).toEqual(one.embedding);
    expect(many.embeddings[1]).not.toEqual(one.embedding);
    expect(one.usage.tokens).toBeGreaterThan(0);
  });

  it('that nobody can make are refused as unsupported', async () => {
    const embedder = aiOf(await start(oneOf('tgi'))).embeddingModel(model);
    const failure = await failureOf(embed({ model: embedder, value: 'a', maxRetries: 0 }));
    expect(failure).toMatchObject({ statusCode: 501, data: { error: { type: 'unsupported' } } });
  });
});

describe('fields that the SDK has no name for', () => {
  it('arrive at the engine beside those it has', async () => {
    const { engine, url } = await start();
    const providerOptions = { switchyard: { top_k: 20, chat_template_kwargs: { enable_thinking: false } } };
    await generateText({ model: aiOf({ url })(model), ...once, seed: 7, providerOptions });
    expect(engine.posts[0]?.json).toMatchObject({ seed: 7, ...providerOptions.switchyard });
  });
});
