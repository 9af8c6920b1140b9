// Errors as the official Node SDK raises them: its own classes, with type and message readable.
import { APIError, InternalServerError, NotFoundError } from 'openai';
import { describe, expect, it } from 'vitest';
import { fault, html, hangUp, reply } from '../support/scripted/behaviours.ts';
import type { FaultName } from '../support/scripted/dialect.ts';
import { startScriptedEngine } from '../support/scripted-engine.ts';
import { failureOf, imitated, messages, model, oneOf, openaiOf, routersOfTest } from './clients-of-test.ts';

const start = routersOfTest();

/** What a program can read off an error of the SDK. */
function told(failure: unknown) {
  if (!(failure instanceof APIError)) throw new Error(`no error of the API: ${String(failure)}`);
  const { status, type, code, param, message, error } = failure;
  return { name: failure.constructor.name, status, type, code, param, message, error };
}

describe.each(imitated)('an error of %s itself', (kind) => {
  it.each<FaultName>(['invalid', 'overflow', 'internal', 'busy', 'wrong-model', 'bad-json'])(
    'is raised just as without a router (%s)',
    async (name) => {
      const { engine, url } = await start(oneOf(kind));
      engine.respond(fault(name));
      const behind = await failureOf(openaiOf({ url }).chat.completions.create({ model, messages }));
      const bare = await startScriptedEngine({ imitates: kind });
      bare.respond(fault(name));
      const direct = await failureOf(openaiOf(bare).chat.completions.create({ model, messages }));
      await bare.close();
      expect(told(behind)).toEqual(told(direct));
      expect(behind).toHaveProperty('requestID', expect.stringMatching(/^[0-9a-f-]{36}$/));
    },
  );

  // Ollama loses what goes wrong in a stream: it sends an empty event instead.
  it('inside a stream that said 200 is raised before the stream begins, with a status', async () => {
    const { engine, url } = await start(oneOf(kind));
    engine.respond(fault('internal', { as: 'event' }));
    const failure = await failureOf(openaiOf({ url }).chat.completions.create({ model, messages, stream: true }));
    expect(failure).toBeInstanceOf(APIError);
    expect(failure).toMatchObject({ status: expect.any(Number), message: expect.stringMatching(/\w{4}/) });
    expect(told(failure).status).toBeGreaterThanOrEqual(400);
    expect(engine.posts).toHaveLength(1);
  });
});

describe('an error of the router', () => {
  it('is a NotFoundError for an unknown model, on every endpoint', async () => {
    const client = openaiOf(await start());
    const calls = [
      client.chat.completions.create({ model: 'gpt-9', messages }),
      client.chat.completions.create({ model: 'gpt-9', messages, stream: true }),
      client.chat.completions.stream({ model: 'gpt-9', messages }).finalContent(),
      client.completions.create({ model: 'gpt-9', prompt: 'Once' }),
      client.embeddings.create({ model: 'gpt-9', input: 'a' }),
    ];
    for (const failure of await Promise.all(calls.map(failureOf))) {
      expect(failure).toBeInstanceOf(NotFoundError);
      expect(failure).toMatchObject({
        status: 404,
        type: 'model_not_found',
        message: expect.stringContaining('"gpt-9"'),
      });
    }
  });

  it('is a NotFoundError for an endpoint that is not served', async () => {
    const failure = await failureOf(openaiOf(await start()).moderations.create({ input: 'a' }));
    expect(failure).toBeInstanceOf(NotFoundError);
    expect(failure).toMatchObject({ type: 'not_found' });
  });

  it('has nothing in it but type and message', async () => {
    const failure = await failureOf(openaiOf(await start()).models.retrieve('gpt-9'));
    expect(Object.keys(Object(told(failure).error)).toSorted()).toEqual(['message', 'type']);
  });

  it('is an InternalServerError when the backend answers with something else than an answer', async () => {
    const { engine, url } = await start();
    for (const [behaviour, type] of [
      [html(), 'backend_broken'],
      [reply(200, '{"choices":[{"mess'), 'backend_broken'],
      [hangUp('reset'), 'backend_broken'],
    ] as const) {
      engine.respond(behaviour);
      for (const stream of [false, true]) {
        const failure = await failureOf(openaiOf({ url }).chat.completions.create({ model, messages, stream }));
        expect(failure).toBeInstanceOf(InternalServerError);
        expect(failure).toMatchObject({ status: 502, type, message: expect.stringContaining('"b0"') });
      }
    }
  });

  it('is an InternalServerError that asks to come back when nobody is up', async () => {
    const { engine, service, url } = await start();
    await engine.crash();
    await expect.poll(() => service.states.map(({ health }) => health)).toEqual(['down']);
    const failure = await failureOf(openaiOf({ url }).chat.completions.create({ model, messages }));
    expect(failure).toBeInstanceOf(InternalServerError);
    expect(failure).toMatchObject({ status: 503, type: 'no_backend', message: expect.stringContaining('b0: down') });
    expect(new Headers(Object(failure).headers).get('retry-after')).toBe('1');
    expect((await openaiOf({ url }).models.list()).data).toHaveLength(1);
  });

  it('never shows when another backend answers instead', async () => {
    // The weight makes the first one the choice.
    const engines = [{ imitates: 'vllm' as const, backend: { weight: 100 } }, { imitates: 'tgi' as const }];
    const router = await start({ engines });
    router.engine.respond(fault('internal'));
    const { data, response } = await openaiOf(router).chat.completions.create({ model, messages }).withResponse();
    expect(data.choices[0]?.message.content).toBe('t1 t2 t3 ');
    expect(response.headers.get('x-switchyard-attempts')).toBe('2');
    expect(router.engines.map(({ posts }) => posts.length)).toEqual([1, 1]);
  });
});
