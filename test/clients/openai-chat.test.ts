// The official Node SDK chats through the router as it would with OpenAI, whatever engine stands behind.
import { describe, expect, it } from 'vitest';
import { answer } from '../support/scripted/behaviours.ts';
import { all, kinds, messages, model, oneOf, openaiOf, routersOfTest } from './clients-of-test.ts';

const start = routersOfTest();

describe.each(kinds)('a chat in front of %s', (kind) => {
  const text = kind === 'simulated' ? expect.stringContaining('You said: Good morning') : 't1 t2 t3 ';

  it('has its text, its usage and the name that was asked for', async () => {
    const client = openaiOf(await start(oneOf(kind)));
    const reply = await client.chat.completions.create({ model, messages });
    expect(reply).toMatchObject({ object: 'chat.completion', model });
    expect(reply.choices[0]).toMatchObject({ finish_reason: 'stop', message: { role: 'assistant', content: text } });
    expect(reply.usage?.total_tokens).toBeGreaterThan(reply.usage?.prompt_tokens ?? Infinity);
  });

  it('streams the same text, piece by piece', async () => {
    const client = openaiOf(await start(oneOf(kind)));
    const chunks = await all(await client.chat.completions.create({ model, messages, stream: true }));
    const pieces = chunks.map(({ choices }) => choices[0]?.delta.content ?? '').filter((piece) => piece !== '');
    expect(pieces.length).toBeGreaterThan(2);
    expect(pieces.join('')).toEqual(text);
    expect(chunks.map(({ choices }) => choices[0]?.finish_reason).filter(Boolean)).toEqual(['stop']);
    expect(new Set(chunks.map((chunk) => chunk.model))).toEqual(new Set([model]));
    expect(chunks.filter(({ usage }) => usage !== undefined && usage !== null)).toEqual([]);
  });

  it('is put together by the helpers of the SDK', async () => {
    const client = openaiOf(await start(oneOf(kind)));
    const stream = client.chat.completions.stream({ model, messages, stream_options: { include_usage: true } });
    let heard = '';
    stream.on('content', (piece) => {
      heard += piece;
    });
    expect(await stream.finalContent()).toEqual(text);
    expect(heard).toEqual(text);
    expect(await stream.finalMessage()).toMatchObject({ role: 'assistant', content: text });
    expect((await stream.finalChatCompletion()).choices[0]?.finish_reason).toBe('stop');
    // TGI numbers no answer (`"id":""`), and the SDK's helper then loses the usage, without a router just the same.
    const { completion_tokens: counted } = await stream.totalUsage();
    expect(counted > 0).toBe(kind !== 'tgi');
  });

  it('brings its usage as the last event of a stream when that is asked', async () => {
    const client = openaiOf(await start(oneOf(kind)));
    const asked = { stream: true, stream_options: { include_usage: true } } as const;
    const chunks = await all(await client.chat.completions.create({ model, messages, ...asked }));
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { total_tokens: expect.any(Number) } });
  });
});

describe('what the SDK sends', () => {
  it('arrives byte for byte, with fields that the router does not know', async () => {
    const { engine, url } = await start();
    const sent: unknown[] = [];
    const client = openaiOf(
      { url },
      {
        fetch: (input, init) => {
          sent.push(init?.body);
          return fetch(input, init);
        },
      },
    );
    const request = {
      model,
      messages: [{ role: 'user' as const, content: 'naïve 🚉 \u2028 "quoted"' }],
      seed: 9_007_199_254_740_991,
      temperature: 0.1,
      logit_bias: { '50256': -100 },
      top_k: 20,
      guided_choice: ['yes', 'no'],
      chat_template_kwargs: { enable_thinking: false },
    };
    await client.chat.completions.create(request);
    expect(engine.posts[0]?.body.toString()).toBe(sent[0]);
    expect(engine.posts[0]?.json).toEqual(request);
  });

  it('arrives without the key and the headers that are of no use to an engine', async () => {
    const { engine, url } = await start();
    await openaiOf({ url }, { apiKey: 'sk-mine' }).chat.completions.create({ model, messages });
    const names = Object.keys(engine.posts[0]?.headers ?? {});
    expect(names).toContain('user-agent');
    expect(names.filter((name) => name.startsWith('x-stainless') || name === 'authorization')).toEqual([]);
  });
});

describe('the answer', () => {
  it('tells its request id, which the engine and the log have too', async () => {
    const { engine, log, url } = await start();
    const client = openaiOf({ url });
    const { data, response, request_id } = await client.chat.completions.create({ model, messages }).withResponse();
    expect(request_id).toMatch(/^[0-9a-f-]{36}$/);
    expect(data).toHaveProperty('_request_id', request_id);
    expect(response.headers.get('x-switchyard-backend')).toBe('b0');
    expect(response.headers.get('x-switchyard-attempts')).toBe('1');
    expect(engine.posts[0]?.headers['x-request-id']).toBe(request_id);
    await expect.poll(() => JSON.stringify(log)).toContain(String(request_id));
  });

  it('carries the request id that a caller has chosen, also on a stream', async () => {
    const client = openaiOf(await start());
    const headers = { 'x-request-id': 'my-own.1' };
    const { data, request_id } = await client.chat.completions
      .create({ model, messages, stream: true }, { headers })
      .withResponse();
    expect(request_id).toBe('my-own.1');
    expect(await all(data)).not.toEqual([]);
  });

  it('carries the alias that was asked for, where the engine only knows its own name', async () => {
    const { engine, url } = await start({ models: { [model]: { aliases: ['gpt-4o'] } } });
    const client = openaiOf({ url });
    expect((await client.chat.completions.create({ model: 'gpt-4o', messages })).model).toBe('gpt-4o');
    const chunks = await all(await client.chat.completions.create({ model: 'gpt-4o', messages, stream: true }));
    expect(new Set(chunks.map((chunk) => chunk.model))).toEqual(new Set(['gpt-4o']));
    expect(engine.posts.map(({ json }) => json['model'])).toEqual([model, model]);
  });

  it('comes whole from a stream whose bytes arrive in the worst places', async () => {
    const { engine, url } = await start();
    engine.respond(answer({ pieces: ['naïve ', '🚉 ', '日本語'], framing: { split: 1, lineEnd: '\r\n' } }));
    const stream = openaiOf({ url }).chat.completions.stream({ model, messages });
    expect(await stream.finalContent()).toBe('naïve 🚉 日本語');
  });
});
