// The Python `openai` SDK against the router, as in the README, with real engines behind it: what callers see.
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { llamaContextTokens } from './llama-server.ts';
import { places } from './places.ts';
import { type RealFleet, names, startRealFleet } from './real-fleet.ts';
import { run } from './run.ts';
import { startRouter } from '../support/running-router.ts';

let fleet: RealFleet;
beforeAll(async () => {
  fleet = await startRealFleet({ withOllama: true });
});
afterAll(() => fleet?.stop());

/** One of the calls of openai_sdk.py, and what it printed. */
async function sdk(call: string, other: { readonly url?: string; readonly chat?: string } = {}): Promise<unknown> {
  const { url = fleet.router.url, chat = names.chat } = other;
  const printed = await run(places.python, [join(import.meta.dirname, 'openai_sdk.py'), call], {
    BASE_URL: `${url}/v1`,
    CHAT_MODEL: chat,
    EMBEDDINGS_MODEL: names.embeddings,
    OLLAMA_MODEL: names.ollama,
  });
  return JSON.parse(printed);
}

test('each engine is recognised by itself, from nothing but its URL', async () => {
  const engines = (await fleet.metric('switchyard_backend_up')).map(
    ([labels, up]) => `${/engine="(\w+)"/.exec(labels)?.[1]} ${up}`,
  );
  expect(engines.toSorted()).toEqual(['llamacpp 1', 'llamacpp 1', 'llamacpp 1', 'ollama 1']);
});

test('models are listed and retrieved, with the context length that the server has', async () => {
  const chat = { id: names.chat, object: 'model', context_length: llamaContextTokens };
  expect(await sdk('models')).toEqual({
    listed: expect.arrayContaining([
      expect.objectContaining(chat),
      expect.objectContaining({ id: names.embeddings, context_length: llamaContextTokens }),
      expect.objectContaining({ id: `${names.ollama}:latest` }),
    ]),
    retrieved: expect.objectContaining(chat),
  });
});

test('a chat completion comes back as the server made it, and tells which backend that was', async () => {
  expect(await sdk('chat')).toEqual({
    headers: expect.objectContaining({
      'x-switchyard-backend': expect.stringMatching(`^(${fleet.chatA.name}|${fleet.chatB.name})$`),
      'x-switchyard-attempts': '1',
      'x-request-id': expect.stringMatching(/./),
    }),
    completion: expect.objectContaining({
      object: 'chat.completion',
      model: names.chat,
      choices: [expect.objectContaining({ message: someText })],
      usage: expect.objectContaining({ completion_tokens: expect.any(Number) }),
      timings: expect.anything(),
    }),
  });
});

const someText = expect.objectContaining({ role: 'assistant', content: expect.stringMatching(/./s) });

const aChoice = { city: expect.stringMatching(/^(Paris|Oslo)$/), large: expect.any(Boolean) };

test('the streaming helper sees the events in order and puts the final completion together', async () => {
  const { events, final } = asRecord(await sdk('stream_helper'));
  const kinds = asArray(events);
  expect(kinds.indexOf('chunk')).toBe(0);
  expect(kinds.indexOf('content.delta')).toBeGreaterThan(0);
  expect(kinds.indexOf('content.done')).toBeGreaterThan(kinds.lastIndexOf('content.delta'));
  expect(final).toMatchObject({
    choices: [{ message: { parsed: aChoice }, finish_reason: 'stop' }],
    usage: { completion_tokens: expect.any(Number) },
  });
});

test('a plain stream has a chunk per token and one finish reason, at its end', async () => {
  const chunks = asArray(await sdk('stream'));
  const choices = chunks.flatMap((chunk) => asArray(asRecord(chunk)['choices'])).map(asRecord);
  expect(choices.length).toBeGreaterThan(2);
  expect(choices.map((choice) => choice['finish_reason']).filter((reason) => reason !== null)).toHaveLength(1);
  expect(choices.at(-1)?.['finish_reason']).toMatch(/^(length|stop)$/);
});

test('embeddings are the same whether they travel as base64 or as numbers, and differ between texts', async () => {
  const { default: base64, float, usage } = asRecord(await sdk('embeddings'));
  const [fox, again, books] = asArray(base64).map(asNumbers);
  expect(fox?.length).toBeGreaterThan(100);
  expect(distance(fox, again)).toBeLessThan(1e-3);
  expect(distance(fox, books)).toBeGreaterThan(0.1);
  asArray(float).forEach((vector, n) => expect(distance(asNumbers(vector), [fox, again, books][n])).toBeLessThan(1e-3));
  expect(usage).toMatchObject({ prompt_tokens: expect.any(Number) });
});

test('a JSON schema binds the answer', async () => {
  expect(await sdk('structured')).toEqual({ finish: 'stop', choice: aChoice });
});

test('errors arrive as the SDK’s own classes: the router’s in its envelope, a backend’s with the body it wrote', async () => {
  expect(await sdk('errors')).toEqual({
    stranger: {
      raised: 'AuthenticationError',
      status: 401,
      source: 'gateway',
      attempts: '0',
      body: { error: { type: 'unauthorized', message: expect.any(String) } },
    },
    unknown_model: {
      raised: 'NotFoundError',
      status: 404,
      source: 'gateway',
      attempts: '0',
      body: { error: { type: 'model_not_found', message: expect.any(String) } },
    },
    malformed: {
      raised: 'BadRequestError',
      status: 400,
      source: 'backend',
      attempts: '1',
      body: { error: expect.objectContaining({ type: 'invalid_request_error', message: expect.any(String) }) },
    },
    // llama.cpp's own words for a bad request; no other server would like it better.
    no_role: {
      raised: 'InternalServerError',
      status: 500,
      source: 'backend',
      attempts: '1',
      body: { error: expect.objectContaining({ type: 'server_error', message: expect.stringContaining('role') }) },
    },
    too_long: {
      raised: 'BadRequestError',
      status: 400,
      source: 'backend',
      attempts: '1',
      body: {
        error: expect.objectContaining({
          type: 'exceed_context_size_error',
          n_prompt_tokens: expect.any(Number),
          n_ctx: llamaContextTokens,
        }),
      },
    },
  });
});

test('Ollama serves its model through the same URL, whole and streamed', async () => {
  const { chat, chunks } = asRecord(await sdk('ollama'));
  expect(chat).toMatchObject({ completion: { system_fingerprint: 'fp_ollama', choices: [{ message: someText }] } });
  expect(asArray(chunks).length).toBeGreaterThan(2);
  expect(asArray(chunks).at(-1)).toMatchObject({
    choices: [{ finish_reason: expect.stringMatching(/^(length|stop)$/) }],
  });
});

test('a limit that is used up is waited for as long as the answer tells, and then met', async () => {
  // One at once, then one in 1,035 ms: longer than the SDK would wait by itself.
  const limits = { requestsPerMinute: 58, burst: { requests: 1 } };
  const auth = { tenants: new Map([['anonymous', { limits, modelLimits: new Map() }]]) };
  const router = await startRouter({ auth });
  try {
    const { seen, refused } = asRecord(await sdk('limited', { url: router.url, chat: 'test-model' }));
    const [first, second] = asArray(seen).map(asRecord);
    expect([first?.['retries'], second?.['retries']]).toEqual([0, 1]);
    expect(second?.['seconds']).toBeGreaterThan(0.95);
    expect(refused).toMatchObject({ raised: 'RateLimitError', status: 429, source: 'gateway' });
    expect(refused).toMatchObject({ body: { error: { type: 'rate_limit_exceeded' } } });
  } finally {
    await router.stop();
  }
});

function asRecord(value: unknown): Readonly<Record<string, unknown>> {
  expect(value).toBeTypeOf('object');
  expect(value).not.toBeNull();
  return value as Readonly<Record<string, unknown>>;
}

function asArray(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new TypeError(`not an array: ${JSON.stringify(value)}`);
  return value;
}

function asNumbers(value: unknown): readonly number[] {
  return asArray(value).map(Number);
}

function distance(from: readonly number[] = [], to: readonly number[] = []): number {
  expect(from.length).toBe(to.length);
  return Math.hypot(...from.map((x, n) => x - (to[n] ?? Number.NaN)));
}
