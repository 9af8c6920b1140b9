// What the official Node SDK sees of the fleet, and the two ways to show a key.
import { createHash } from 'node:crypto';
import { AuthenticationError, NotFoundError, PermissionDeniedError } from 'openai';
import { describe, expect, it } from 'vitest';
import type { ApiKey } from '../../src/fleet/fleet.ts';
import { all, failureOf, imitated, messages, model, oneOf, openaiOf, routersOfTest } from './clients-of-test.ts';

const start = routersOfTest();

describe('the list of models', () => {
  it('has every model once, with aliases, context and capabilities', async () => {
    const client = openaiOf(
      await start({
        engines: [
          { imitates: 'vllm', models: ['shared', 'big/model'], contextTokens: 4096 },
          { imitates: 'tgi', models: ['shared'], contextTokens: 8192 },
        ],
        models: { shared: { aliases: ['gpt-4o'] } },
      }),
    );
    const listed = await all(client.models.list());
    expect(listed.map(({ id }) => id)).toEqual(['shared', 'gpt-4o', 'big/model']);
    expect(listed[0]).toMatchObject({ object: 'model', owned_by: 'switchyard', root: 'shared', context_length: 8192 });
    expect(listed[0]?.created).toBeGreaterThan(1.7e9);
    expect(listed[1]).toMatchObject({ root: 'shared' });
    expect(listed[2]).toMatchObject({ capabilities: { 'chat-completions': true } });
  });

  it.each(['simulated', ...imitated] as const)('has what %s serves', async (kind) => {
    const { data } = await openaiOf(await start(oneOf(kind))).models.list();
    expect(data.map(({ id }) => id)).toEqual([model]);
  });

  it('gives one of them, also by an alias or a name with a slash and a colon', async () => {
    const name = 'org/model:Q4_K_M';
    const client = openaiOf(
      await start({ engines: [{ imitates: 'llamacpp', models: [name] }], models: { [name]: { aliases: ['short'] } } }),
    );
    expect(await client.models.retrieve(name)).toMatchObject({ id: name, root: name });
    expect(await client.models.retrieve('short')).toMatchObject({ id: 'short', root: name });
  });

  it('has nothing of an unknown name', async () => {
    const failure = await failureOf(openaiOf(await start()).models.retrieve('gpt-9'));
    expect(failure).toBeInstanceOf(NotFoundError);
    expect(failure).toMatchObject({ status: 404, type: 'model_not_found', message: expect.stringContaining('model') });
  });
});

describe('a key', () => {
  const secret = 'sk-team-0123456789';
  const key = (more: Partial<ApiKey> = {}): ApiKey => ({
    tenant: 'team',
    sha256: createHash('sha256').update(secret).digest('hex'),
    ...more,
  });
  const guarded = { auth: { mode: 'keys' as const, keys: [key()] } };

  it('is shown as the apiKey of the SDK', async () => {
    const client = openaiOf(await start(guarded), { apiKey: secret });
    expect((await client.models.list()).data).toHaveLength(1);
    expect((await client.chat.completions.create({ model, messages })).choices).toHaveLength(1);
  });

  it('is shown as x-api-key, when the SDK is told to leave out its own header', async () => {
    const client = openaiOf(await start(guarded), { defaultHeaders: { authorization: null, 'x-api-key': secret } });
    expect((await client.models.list()).data).toHaveLength(1);
    expect((await client.chat.completions.create({ model, messages })).choices).toHaveLength(1);
  });

  it('that is wrong is an AuthenticationError that says what is missing, whatever is called', async () => {
    const { engine, url } = await start(guarded);
    const client = openaiOf({ url }, { apiKey: 'sk-wrong', maxRetries: 2 });
    const calls = [
      () => client.models.list(),
      () => client.models.retrieve(model),
      () => client.chat.completions.create({ model, messages }),
      () => client.chat.completions.create({ model, messages, stream: true }),
      () => client.chat.completions.stream({ model, messages }).finalContent(),
      () => client.completions.create({ model, prompt: 'Once' }),
      () => client.embeddings.create({ model, input: 'a' }),
    ];
    for (const call of calls) {
      const failure = await failureOf(call());
      expect(failure).toBeInstanceOf(AuthenticationError);
      expect(failure).toMatchObject({
        status: 401,
        type: 'unauthorized',
        requestID: expect.stringMatching(/^[0-9a-f-]{36}$/),
        message: expect.stringContaining('x-api-key'),
      });
    }
    expect(engine.posts).toEqual([]);
  });

  it('for other models only is a PermissionDeniedError, and lists nothing', async () => {
    const auth = { mode: 'keys' as const, keys: [key({ models: ['other-*'] })] };
    const client = openaiOf(await start({ auth }), { apiKey: secret });
    const failure = await failureOf(client.chat.completions.create({ model, messages }));
    expect(failure).toBeInstanceOf(PermissionDeniedError);
    expect(failure).toMatchObject({ status: 403, type: 'forbidden' });
    expect((await client.models.list()).data).toEqual([]);
  });
});
