import { describe, expect, it } from 'vitest';
import { routerPerTest } from '../support/running-router.ts';
import { answer, fault, hang, reply } from '../support/scripted/behaviours.ts';

const { start, current } = routerPerTest();

const counts = () => current().engines.map(({ posts }) => posts.length);
const backendsOf = async (responses: readonly Response[]) => {
  await Promise.all(responses.map((response) => response.arrayBuffer()));
  return responses.map((response) => response.headers.get('x-switchyard-backend'));
};
const image = {
  messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } }] }],
};

describe('by what a request needs', () => {
  it('embeddings on a model that only TGI serves are a structured 501, and no backend is asked', async () => {
    const { post, engine } = await start({ engines: [{ imitates: 'tgi' }] });
    const response = await post('/v1/embeddings', { model: 'test-model', input: 'x' });
    expect(response.status).toBe(501);
    expect(await response.json()).toEqual({
      error: { type: 'unsupported', message: 'No backend of the model "test-model" (tgi) supports embeddings.' },
    });
    expect(engine.posts).toHaveLength(0);
  });

  it('embeddings go to the backend that has them', async () => {
    const { post } = await start({
      engines: [{ imitates: 'tgi' }, { imitates: 'vllm', can: { chat: false, completions: false, embeddings: true } }],
    });
    for (let n = 0; n < 5; n++)
      expect((await post('/v1/embeddings', { model: 'test-model', input: 'x' })).status).toBe(200);
    expect(counts()).toEqual([0, 5]);
  });

  it('a refusal is learnt: elsewhere at once, and nobody asks there again', async () => {
    const { chat } = await start({
      policy: 'round-robin',
      engines: [{ imitates: 'vllm', can: { tools: false } }, { imitates: 'vllm' }],
    });
    const tools = [{ type: 'function', function: { name: 'f', parameters: { type: 'object' } } }];
    for (let n = 0; n < 6; n++) expect((await chat({ tools })).status).toBe(200);
    expect(counts()).toEqual([1, 6]);
    for (let n = 0; n < 4; n++) await chat();
    expect(counts()?.[0]).toBeGreaterThanOrEqual(2);
  });

  it('refusals alone never keep a request from the one that can', async () => {
    const chatOnly = { imitates: 'llamacpp' } as const;
    const { post } = await start({
      policy: 'round-robin',
      engines: [chatOnly, chatOnly, chatOnly, { imitates: 'llamacpp', can: { embeddings: true } }],
    });
    for (let n = 0; n < 5; n++) {
      expect((await post('/v1/embeddings', { model: 'test-model', input: 'x' })).status).toBe(200);
    }
    expect(counts()).toEqual([1, 1, 1, 5]);
  });

  it('once everybody has refused, the gateway says so itself', async () => {
    const { chat } = await start({ engines: [{ imitates: 'vllm', can: { vision: false } }] });
    expect((await chat(image)).status).toBe(400);
    const response = await chat(image);
    expect(response.status).toBe(501);
    expect(await response.json()).toMatchObject({
      error: { type: 'unsupported', message: expect.stringContaining('vision') },
    });
    expect(counts()).toEqual([1]);
  });

  it.each([
    ['a route that is gone for a moment', reply(404, '<h1>404 Not Found</h1>', { 'content-type': 'text/html' })],
    [
      'an option that is not supported',
      reply(400, { error: { message: 'This parser does not support tool_choice="required" with streaming.' } }),
    ],
    [
      'a combination that is not',
      reply(501, {
        error: { message: 'prompt_logprobs is not compatible with beam search', type: 'NotImplementedError' },
      }),
    ],
  ])("%s teaches nothing about anybody else's request", async (_what, odd) => {
    const { chat } = await start({ engines: [{ imitates: 'vllm' }, { imitates: 'vllm' }] });
    for (const engine of current().engines) engine.respond([odd]);
    const tools = [{ type: 'function', function: { name: 'f', parameters: { type: 'object' } } }];
    expect((await chat({ tools })).status).toBeGreaterThanOrEqual(400);
    for (let n = 0; n < 4; n++) expect([200, 404, 501, 400]).toContain((await chat({ tools })).status);
    expect((await chat({ tools })).status).toBe(200);
  });

  it('what it has done before is not unlearnt by one refusal', async () => {
    const { chat, engine } = await start();
    expect((await chat(image)).status).toBe(200);
    engine.respond([fault('no-vision')]);
    expect((await chat(image)).status).toBe(400);
    expect((await chat(image)).status).toBe(200);
  });

  it('what the operator says counts without asking', async () => {
    const { chat } = await start({
      engines: [{ imitates: 'vllm', backend: { capabilities: { vision: false } } }, { imitates: 'vllm' }],
    });
    for (let n = 0; n < 5; n++) expect((await chat(image)).status).toBe(200);
    expect(counts()).toEqual([0, 5]);
  });

  it('a backend that came back is asked again what it can do', async () => {
    const { chat, engine } = await start({ engines: [{ imitates: 'vllm', can: { vision: false } }] });
    await chat(image);
    expect((await chat(image)).status).toBe(501);
    await engine.crash();
    await expect.poll(() => current().service.states[0]?.health).toBe('down');
    await engine.listen();
    engine.respond(answer());
    await expect.poll(() => current().service.states[0]?.health).toBe('up');
    expect((await chat(image)).status).toBe(200);
  });
});

describe('by context length', () => {
  const long = (words: number) => ({ messages: [{ role: 'user', content: 'word '.repeat(words) }] });

  it('a long prompt goes to a member that is large enough', async () => {
    const { chat } = await start({
      engines: [
        { imitates: 'vllm', contextTokens: 100 },
        { imitates: 'vllm', contextTokens: 10_000 },
      ],
    });
    for (let n = 0; n < 5; n++) expect((await chat(long(500))).status).toBe(200);
    expect(counts()).toEqual([0, 5]);
  });

  it('the bound on the answer counts too', async () => {
    const { chat } = await start({
      engines: [
        { imitates: 'vllm', contextTokens: 100 },
        { imitates: 'vllm', contextTokens: 10_000 },
      ],
    });
    for (let n = 0; n < 5; n++) await chat({ max_tokens: 5_000 });
    expect(counts()).toEqual([0, 5]);
  });

  it('one too long for everybody goes to the largest, whose own answer stands', async () => {
    const { chat } = await start({
      engines: [
        { imitates: 'vllm', contextTokens: 100 },
        { imitates: 'vllm', contextTokens: 1_000 },
      ],
    });
    const response = await chat(long(5_000));
    expect(response.status).toBe(400);
    expect(JSON.stringify(await response.json())).toContain('maximum context length is 1000 tokens');
    expect(counts()).toEqual([0, 1]);
  });

  it('an overflow that the estimate missed is tried on a larger member only', async () => {
    const { chat } = await start({
      policy: 'round-robin',
      engines: [
        { imitates: 'llamacpp', contextTokens: 4_096 },
        { imitates: 'llamacpp', contextTokens: 4_096 },
        { imitates: 'llamacpp', contextTokens: 8_192 },
      ],
    });
    for (const engine of current().engines.slice(0, 2) ?? []) engine.respond(fault('overflow'));
    for (let n = 0; n < 6; n++) expect((await chat()).status).toBe(200);
    expect(counts()?.[2]).toBe(6);
  });
});

describe('by load', () => {
  it('requests at the same time spread in proportion to weight', async () => {
    const { chat } = await start({
      engines: [
        { imitates: 'vllm', backend: { weight: 1 } },
        { imitates: 'vllm', backend: { weight: 3 } },
      ],
    });
    const waiting = answer({ delayMs: 200 });
    for (const engine of current().engines ?? []) engine.respond(waiting);
    await backendsOf(await Promise.all(Array.from({ length: 40 }, () => chat())));
    expect(counts()).toEqual([10, 30]);
  });

  it('a full backend is left out, and when all are full the caller is told', async () => {
    const { chat, service } = await start({
      engines: [
        { imitates: 'vllm', backend: { maxInFlight: 2 } },
        { imitates: 'vllm', backend: { maxInFlight: 1 } },
      ],
    });
    for (const engine of current().engines ?? []) engine.respond(hang());
    const callers = Array.from({ length: 3 }, () => new AbortController());
    const pending = callers.map(({ signal }) => chat({}, { signal }).catch((error: unknown) => error));
    await expect.poll(counts).toEqual([2, 1]);
    const refused = await chat();
    expect(refused.status).toBe(503);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await refused.json()).toMatchObject({
      error: { type: 'overloaded', message: expect.stringContaining('full') },
    });
    for (const caller of callers) caller.abort();
    await Promise.all(pending);
    await expect.poll(() => service.held().inFlight).toBe(0);
  });

  it('every endpoint is counted, plain and streamed, until the last byte', async () => {
    const { post, service } = await start({ engines: [{ imitates: 'vllm', can: { embeddings: true, chat: true } }] });
    current().engine.respond(answer({ delayMs: 100 }));
    const all = [
      post('/v1/chat/completions', { model: 'test-model', messages: [], stream: true }),
      post('/v1/chat/completions', { model: 'test-model', messages: [] }),
      post('/v1/completions', { model: 'test-model', prompt: 'x' }),
      post('/v1/embeddings', { model: 'test-model', input: 'x' }),
    ];
    await expect.poll(() => service.held().inFlight).toBe(4);
    await backendsOf(await Promise.all(all));
    await expect.poll(() => service.held().inFlight).toBe(0);
  });

  it.each(['round-robin', 'two-choices'])('%s is a policy beside it', async (policy) => {
    const { chat } = await start({ policy, engines: [{ imitates: 'vllm' }, { imitates: 'vllm' }] });
    for (let n = 0; n < 30; n++) await chat();
    expect(Math.min(...(counts() ?? []))).toBeGreaterThan(3);
  });

  it('a draining or disabled backend gets nothing new', async () => {
    const { chat } = await start({
      engines: [
        { imitates: 'vllm', backend: { state: 'draining' } },
        { imitates: 'vllm', backend: { state: 'disabled' } },
        { imitates: 'vllm' },
      ],
    });
    for (let n = 0; n < 5; n++) await chat();
    expect(counts()).toEqual([0, 0, 5]);
  });
});

describe('by name', () => {
  it('an alias means its model, and comes back in the answer', async () => {
    const { chat } = await start({ models: { 'test-model': { aliases: ['gpt-4o', 'default'] } } });
    expect(await (await chat({ model: 'default' })).json()).toMatchObject({ model: 'default' });
    expect(current().engine.posts[0]?.json.model).toBe('test-model');
  });

  it('engines that serve whatever name is asked are sent the name they know', async () => {
    const { chat, engine } = await start({
      engines: [{ imitates: 'sglang', models: ['org/real'], backend: { models: ['nice'] } }],
    });
    expect(await (await chat({ model: 'nice' })).json()).toMatchObject({ model: 'nice' });
    expect(engine.posts[0]?.json.model).toBe('org/real');
  });

  it('a model that left its backend is looked for elsewhere and asked for again', async () => {
    const { chat, engine } = await start({ engines: [{ imitates: 'ollama' }, { imitates: 'ollama' }] });
    engine.respond(fault('wrong-model'));
    for (let n = 0; n < 5; n++) expect((await chat()).status).toBe(200);
    expect(counts()?.[0]).toBeLessThanOrEqual(1);
  });
});
