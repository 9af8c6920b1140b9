// The official SDK against a router that speaks TLS: told whom to trust, it needs nothing else.
import { Agent, fetch as fetchSecurely } from 'undici';
import { afterAll, describe, expect, it } from 'vitest';
import { authoritiesOfTest } from '../support/certificates.ts';
import { all, failureOf, messages, model, oneOf, openaiOf, routersOfTest } from './clients-of-test.ts';

const start = routersOfTest();
const authority = authoritiesOfTest()();
const { cert, key } = authority.sign();
const tls = { cert, key, expiresAtMs: 2_000_000_000_000 };
const dispatcher = new Agent({ connect: { ca: authority.ca } });
afterAll(() => dispatcher.close());

const trusting: typeof fetch = (input, init) =>
  // Both are fetch, with types of their own.
  Reflect.apply(fetchSecurely, undefined, [input, { ...init, dispatcher }]);

describe('the OpenAI SDK over TLS', () => {
  it('gets plain answers and streams', async () => {
    const { port } = await start({ ...oneOf('vllm'), server: { tls } });
    const client = openaiOf({ url: `https://localhost:${port}` }, { fetch: trusting });
    expect((await client.chat.completions.create({ model, messages })).choices[0]?.message.content).toBeTruthy();
    const chunks = await all(await client.chat.completions.create({ model, messages, stream: true }));
    expect(chunks.at(-1)?.choices[0]?.finish_reason).toBe('stop');
    expect((await all(client.models.list())).map(({ id }) => id)).toEqual([model]);
  });

  it('refuses a router that it has no reason to trust', async () => {
    const { port } = await start({ ...oneOf('vllm'), server: { tls } });
    const client = openaiOf({ url: `https://localhost:${port}` });
    expect(await failureOf(client.models.list())).toMatchObject({ message: 'Connection error.' });
  });
});
