// Pins the test double itself: what it says for each engine, and how it lives.
import { describe, expect, test } from 'vitest';
import { errorAfter, fault, stallsAfter } from '../support/scripted/behaviours.ts';
import { chat, events, overSocket } from '../support/scripted/client.ts';
import type { EngineKind, FaultName } from '../support/scripted/dialect.ts';
import { enginesOfTest } from '../support/scripted/engines-of-test.ts';
import type { ScriptedEngine } from '../support/scripted-engine.ts';

const start = enginesOfTest();

const kinds: readonly EngineKind[] = ['vllm', 'sglang', 'tgi', 'ollama', 'llamacpp', 'localai', 'openai'];

describe.each(kinds)('as %s', (imitates) => {
  test('it answers a chat, plain and streamed, with usage only when asked', async () => {
    const engine = await start({ imitates });
    const plain: unknown = await (await chat(engine)).json();
    expect(plain).toMatchObject({
      model: 'test-model',
      choices: [{ message: { role: 'assistant', content: 't1 t2 t3 ' }, finish_reason: 'stop' }],
      usage: { prompt_tokens: 2, completion_tokens: 3, total_tokens: 5 },
    });
    const bare = await events(engine);
    expect(bare.at(-1)).toBe('[DONE]');
    expect(bare.join('')).not.toContain('"prompt_tokens"');
    const counted = await events(engine, { stream_options: { include_usage: true } });
    expect(JSON.parse(counted.at(-2) ?? '')).toMatchObject({ choices: [], usage: { completion_tokens: 3 } });
  });

  test('its error event is followed by [DONE] only where the engine does so', async () => {
    const engine = await start({ imitates });
    engine.respond(errorAfter(2));
    const seen = await events(engine);
    const withDone = imitates !== 'ollama' && imitates !== 'llamacpp';
    expect(seen).toHaveLength(withDone ? 4 : 3);
    expect(seen.at(-1) === '[DONE]').toBe(withDone);
    // Ollama loses the error: what comes is an empty chunk.
    expect(JSON.parse(seen[2] ?? '')).toHaveProperty(imitates === 'ollama' ? 'choices' : 'error');
  });
});

const statuses: readonly (readonly [EngineKind, FaultName, number, object])[] = [
  ['vllm', 'wrong-model', 404, { error: { type: 'NotFoundError', param: 'model', code: 404 } }],
  ['vllm', 'unauthorized', 401, { error: 'Unauthorized' }],
  ['sglang', 'busy', 503, { object: 'error', message: 'The request queue is full.', code: 503 }],
  ['tgi', 'busy', 429, { error: 'Model is overloaded', error_type: 'overloaded' }],
  ['tgi', 'unauthorized', 401, { text: '' }],
  ['tgi', 'no-embeddings', 404, { text: '' }],
  ['ollama', 'no-tools', 400, { error: { message: expect.stringContaining('does not support tools') } }],
  ['ollama', 'internal', 500, { error: { type: 'api_error', code: null } }],
  ['llamacpp', 'overflow', 400, { error: { type: 'exceed_context_size_error', n_ctx: 8192 } }],
  ['llamacpp', 'no-vision', 500, { error: { type: 'server_error' } }],
  ['llamacpp', 'loading', 503, { error: { message: 'Loading model', type: 'unavailable_error' } }],
  ['localai', 'busy', 503, { error: { code: 503, message: expect.stringContaining('capacity reached') } }],
  ['openai', 'busy', 429, { error: { code: 'rate_limit_exceeded' } }],
];

test.each(statuses)('%s says %s with %i in its own shape', async (imitates, name, status, body) => {
  const engine = await start({ imitates });
  engine.respond(fault(name));
  const reply = await chat(engine);
  expect(reply.status).toBe(status);
  const text = await reply.text();
  expect(text === '' ? { text } : JSON.parse(text)).toMatchObject(body);
  const patience = imitates === 'localai' || imitates === 'openai' ? '1' : null;
  expect(reply.headers.get('retry-after')).toBe(patience);
});

test('TGI, SGLang and LocalAI put an overload into the first event of a 200, vLLM into the status', async () => {
  const seen = [];
  for (const imitates of ['tgi', 'sglang', 'localai', 'vllm'] as const) {
    const engine = await start({ imitates });
    engine.respond(fault('busy'));
    const reply = await chat(engine, { stream: true });
    seen.push([imitates, reply.status, (await reply.text()).startsWith('data: {"error":')]);
  }
  expect(seen).toEqual([
    ['tgi', 200, true],
    ['sglang', 200, true],
    ['localai', 200, true],
    ['vllm', 503, false],
  ]);
});

test('each engine names the model in its answers as it does', async () => {
  const asked = { model: 'other' };
  const names = [];
  for (const imitates of ['sglang', 'tgi', 'llamacpp'] as const) {
    const reply: unknown = await (await chat(await start({ imitates }), asked)).json();
    names.push(reply);
  }
  expect(names).toMatchObject([{ model: 'other' }, { model: 'other' }, { model: 'test-model' }]);
  const vllm = await start({ imitates: 'vllm', models: ['first', 'second'] });
  expect(await (await chat(vllm, { model: 'second' })).json()).toMatchObject({ model: 'first' });
  expect((await chat(vllm, asked)).status).toBe(404);
});

test('without being told it refuses what the engine would refuse', async () => {
  const llamacpp = await start({ imitates: 'llamacpp', contextTokens: 10, apiKey: 'secret' });
  expect((await chat(llamacpp)).status).toBe(401);
  const headers = { 'x-api-key': 'secret' };
  const long = { messages: [{ role: 'user', content: 'x'.repeat(400) }] };
  const reply = await chat(llamacpp, long, { headers });
  expect(await reply.json()).toMatchObject({ error: { n_prompt_tokens: 100, n_ctx: 10 } });
  const ollama = await start({ imitates: 'ollama', contextTokens: 10 });
  expect((await chat(ollama, long)).status).toBe(200);
});

async function get(imitates: EngineKind, path: string): Promise<readonly [number, string]> {
  const engine = await start({ imitates, health: imitates === 'vllm' ? 'asleep' : 'up' });
  const reply = await fetch(engine.url + path);
  return [reply.status, await reply.text()];
}

test('GET routes tell what the engine tells, and others get its own 404', async () => {
  expect(await get('vllm', '/metrics')).toEqual([200, expect.stringMatching(/sleep_state="awake"} 0\n/)]);
  expect(await get('vllm', '/nowhere')).toEqual([404, '{"detail":"Not Found"}']);
  expect(await get('tgi', '/info')).toEqual([200, expect.stringContaining('"router":"text-generation-router"')]);
  expect(await get('tgi', '/nowhere')).toEqual([404, '']);
  expect(await get('ollama', '/')).toEqual([200, 'Ollama is running']);
  expect(await get('ollama', '/nowhere')).toEqual([404, '404 page not found']);
  expect(await get('llamacpp', '/props')).toEqual([200, expect.stringContaining('"total_slots":4')]);
  expect(await get('sglang', '/model_info')).toEqual([200, expect.stringContaining('"is_generation":true')]);
  expect(await get('localai', '/v1/models/capabilities')).toEqual([200, expect.stringContaining('"vision"')]);
  expect(await get('vllm', '/v1/chat/completions')).toEqual([405, '{"detail":"Method Not Allowed"}']);
});

test('an Ollama without models lists null', async () => {
  const engine = await start({ imitates: 'ollama', models: [] });
  expect(await (await fetch(`${engine.url}/v1/models`)).json()).toEqual({ object: 'list', data: null });
});

test('llama.cpp closes the connection after an error and others keep it', async () => {
  const seen = [];
  for (const imitates of ['llamacpp', 'vllm'] as const) {
    const engine = await start({ imitates });
    engine.respond(fault('internal'));
    const reply = await chat(engine);
    await reply.text();
    seen.push([reply.headers.get('server'), reply.headers.get('connection'), reply.headers.get('keep-alive')]);
  }
  expect(seen).toEqual([
    ['llama.cpp', 'close', null],
    ['uvicorn', null, null],
  ]);
  const engine = await start({ imitates: 'llamacpp' });
  const reply = await chat(engine);
  await reply.text();
  expect(reply.headers.get('keep-alive')).toBe('timeout=5, max=100');
});

/** The only slot is taken. */
async function full(imitates: EngineKind): Promise<{ engine: ScriptedEngine; free: () => void }> {
  const engine = await start({ imitates, slots: 1 });
  engine.respond([stallsAfter(1)]);
  const first = new AbortController();
  await chat(engine, { stream: true }, { signal: first.signal });
  return { engine, free: () => first.abort() };
}

/** And a second stream waits for it. */
async function deferred(imitates: EngineKind) {
  const { engine, free } = await full(imitates);
  const second = chat(engine, { stream: true });
  await engine.when(({ waiting }) => waiting === 1);
  return { engine, second, free };
}

test('vLLM sends the head of a stream before it has room for it', async () => {
  const { engine, second, free } = await deferred('vllm');
  const reply = await second;
  expect([reply.status, engine.waiting]).toEqual([200, 1]);
  free();
  expect(await reply.text()).toContain('[DONE]');
  expect(engine.abortsSeen).toBe(1);
});

test('llama.cpp sends nothing before a slot is free', async () => {
  const { engine, second, free } = await deferred('llamacpp');
  let answered = false;
  const noted = second.finally(() => {
    answered = true;
  });
  const slots = await fetch(`${engine.url}/slots`);
  expect(await slots.json()).toMatchObject([{ is_processing: true }]);
  expect(answered).toBe(false);
  free();
  await noted;
  expect(await (await second).text()).toContain('[DONE]');
});

test('a full TGI refuses where a full Ollama queues', async () => {
  expect((await chat((await full('tgi')).engine)).status).toBe(429);
  const { engine: ollama } = await full('ollama');
  const queued = new AbortController();
  const second = chat(ollama, {}, { signal: queued.signal });
  await ollama.when(({ waiting }) => waiting === 1);
  queued.abort();
  await expect(second).rejects.toThrow('aborted');
  await ollama.when(({ waiting }) => waiting === 0);
});

describe('its life', () => {
  test('a vLLM that loads refuses connections and then serves on the same port', async () => {
    const engine = await start({ imitates: 'vllm', health: 'loading' });
    const { port } = engine;
    await expect(fetch(`${engine.url}/health`)).rejects.toThrow('fetch failed');
    await engine.setHealth('up');
    expect([(await fetch(`${engine.url}/health`)).status, engine.port]).toEqual([200, port]);
    await engine.setHealth('down');
    expect((await fetch(`${engine.url}/health`)).status).toBe(503);
  });

  test('a llama.cpp that loads says so on every route', async () => {
    const engine = await start({ imitates: 'llamacpp', health: 'loading' });
    const replies = [await fetch(`${engine.url}/health`), await fetch(`${engine.url}/v1/models`), await chat(engine)];
    expect(replies.map(({ status }) => status)).toEqual([503, 503, 503]);
  });

  test('a sleeping vLLM takes requests and answers them once awake', async () => {
    const engine = await start({ imitates: 'vllm', health: 'asleep' });
    const reply = chat(engine);
    await engine.when(({ posts }) => posts[0]?.received === true);
    expect((await fetch(`${engine.url}/health`)).status).toBe(200);
    await engine.setHealth('up');
    expect((await reply).status).toBe(200);
  });

  test('what has ended is forgotten when told so, and the next is numbered on', async () => {
    const engine = await start({ imitates: 'vllm' });
    await (await chat(engine)).text();
    await engine.when(({ posts }) => posts[0]?.ending === 'completed');
    engine.forget();
    expect(engine.journal).toEqual([]);
    await (await chat(engine)).text();
    expect(engine.posts.map(({ n }) => n)).toEqual([2]);
  });

  test('a crash resets what runs, and the engine can come back', async () => {
    const engine = await start({ imitates: 'ollama' });
    engine.respond([stallsAfter(1)]);
    const seen = overSocket(engine);
    await engine.when(({ running }) => running === 1);
    await engine.crash();
    expect((await seen).end).toBe('reset');
    expect(engine.posts[0]?.ending).toBe('stopped');
    await engine.listen();
    expect((await chat(engine)).status).toBe(200);
  });

  test('an idle connection is closed after the time given', async () => {
    const engine = await start({ imitates: 'sglang', keepAliveMs: 20 });
    const first = await overSocket(engine);
    expect(first.end).toBe('fin');
  });
});
