// Completions and embeddings through the official Node SDK.
import { InternalServerError } from 'openai';
import { describe, expect, it } from 'vitest';
import type { RouterWishes } from '../support/running-router.ts';
import { all, failureOf, kinds, model, oneOf, openaiOf, routersOfTest } from './clients-of-test.ts';

const start = routersOfTest();

describe.each(kinds)('a completion in front of %s', (kind) => {
  it('has the same text plain and streamed', async () => {
    const client = openaiOf(await start(oneOf(kind)));
    const plain = await client.completions.create({ model, prompt: 'Once' });
    expect(plain).toMatchObject({ object: 'text_completion', model });
    expect(plain.choices[0]).toMatchObject({ text: expect.stringMatching(/\S/), finish_reason: 'stop' });
    expect(plain.usage?.completion_tokens).toBeGreaterThan(0);
    const chunks = await all(await client.completions.create({ model, prompt: 'Once', stream: true }));
    expect(chunks.length).toBeGreaterThan(2);
    expect(chunks.map(({ choices }) => choices[0]?.text ?? '').join('')).toBe(plain.choices[0]?.text);
  });

  it('brings its usage at the end of a stream when that is asked', async () => {
    const client = openaiOf(await start(oneOf(kind)));
    const asked = { stream: true, stream_options: { include_usage: true } } as const;
    const chunks = await all(await client.completions.create({ model, prompt: 'Once', ...asked }));
    expect(chunks.at(-1)?.usage?.completion_tokens).toBeGreaterThan(0);
  });
});

// An SGLang that embeds does not generate.
const embedders = {
  simulated: oneOf('simulated'),
  vllm: { engines: [{ imitates: 'vllm', can: { embeddings: true } }] },
  sglang: { engines: [{ imitates: 'sglang', can: { embeddings: true, chat: false, completions: false } }] },
  ollama: oneOf('ollama'),
  llamacpp: { engines: [{ imitates: 'llamacpp', can: { embeddings: true } }] },
  localai: oneOf('localai'),
} satisfies Record<string, RouterWishes>;

describe.each(Object.entries(embedders))('embeddings in front of %s', (_kind, wishes) => {
  it('are the same numbers in the encoding the SDK asks for, in base64 and as floats', async () => {
    const client = openaiOf(await start(wishes));
    const input = ['a', 'b'];
    const usual = await client.embeddings.create({ model, input });
    const floats = await client.embeddings.create({ model, input, encoding_format: 'float' });
    const encoded = await client.embeddings.create({ model, input, encoding_format: 'base64' });
    expect(floats.data.map(({ index }) => index)).toEqual([0, 1]);
    expect(floats.data.map(({ embedding }) => Math.hypot(...embedding))).toEqual([
      expect.closeTo(1, 5),
      expect.closeTo(1, 5),
    ]);
    expect(usual.data).toEqual(floats.data);
    const [first] = encoded.data;
    const bytes = Buffer.from(new Float32Array(floats.data[0]?.embedding ?? []).buffer);
    expect(String(first?.embedding)).toBe(bytes.toString('base64'));
    expect(usual.usage.total_tokens).toBeGreaterThan(0);
  });
});

describe('embeddings that nobody can make', () => {
  it('are refused as unsupported on a model that only TGI serves, without asking it', async () => {
    const { engine, url } = await start(oneOf('tgi'));
    const failure = await failureOf(openaiOf({ url }).embeddings.create({ model, input: 'a' }));
    expect(failure).toBeInstanceOf(InternalServerError);
    expect(failure).toMatchObject({
      status: 501,
      type: 'unsupported',
      error: { type: 'unsupported', message: expect.stringMatching(/test-model.*tgi.*embeddings/) },
    });
    expect(engine.posts).toEqual([]);
  });

  it('go to the one backend of the model that can', async () => {
    const { engines, url } = await start({ engines: [{ imitates: 'tgi' }, { imitates: 'ollama' }] });
    for (let n = 0; n < 4; n++) {
      const { data } = await openaiOf({ url }).embeddings.create({ model, input: 'a' });
      expect(data).toHaveLength(1);
    }
    expect(engines.map(({ posts }) => posts.length)).toEqual([0, 4]);
  });
});
