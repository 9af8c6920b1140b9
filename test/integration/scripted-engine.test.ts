// Pins the test double itself: what it says for each engine, and that every disturbance really happens on the wire.
import { connect } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import {
  aborted,
  answer,
  type Behaviour,
  cutAfterBytes,
  diesAfter,
  drip,
  emptyReply,
  endless,
  errorAfter,
  errorEvent,
  fault,
  garbageStatusLine,
  hang,
  hangUp,
  hugeHeader,
  lengthAndChunked,
  raw,
  redirect,
  split,
  stallsAfter,
  wrongLength,
} from '../support/scripted/behaviours.ts';
import { startScriptedEngine, type ScriptedEngine } from '../support/scripted-engine.ts';
import type { EngineKind, FaultName } from '../support/scripted/dialect.ts';
import type { ScriptedEngineOptions } from '../support/scripted/settings.ts';

const engines: ScriptedEngine[] = [];

async function start(options: ScriptedEngineOptions): Promise<ScriptedEngine> {
  const engine = await startScriptedEngine(options);
  engines.push(engine);
  return engine;
}

afterEach(async () => {
  for (const engine of engines.splice(0)) {
    await engine.close();
    const { openConnections, inFlight, running, waiting } = engine;
    if (openConnections + inFlight + running + waiting > 0)
      throw new Error('the scripted engine still holds something');
  }
});

function chat(engine: ScriptedEngine, more: object = {}, init: RequestInit = {}): Promise<Response> {
  const body = JSON.stringify({ model: 'test-model', messages: [{ role: 'user', content: 'hello' }], ...more });
  const headers = { 'content-type': 'application/json' };
  return fetch(`${engine.url}/v1/chat/completions`, { method: 'POST', body, headers, redirect: 'manual', ...init });
}

async function events(engine: ScriptedEngine, more: object = {}): Promise<readonly string[]> {
  const reply = await chat(engine, { stream: true, ...more });
  return (await reply.text())
    .split('\n')
    .filter((line) => line.startsWith('data: '))
    .map((line) => line.slice(6));
}

/** One streamed chat over a socket of its own: all bytes until the connection ends, and how it ended. */
async function overSocket(engine: ScriptedEngine, until?: string): Promise<{ text: string; end: string }> {
  const body = JSON.stringify({ model: 'test-model', messages: [], stream: true });
  const socket = connect(engine.port, '127.0.0.1');
  socket.write(
    `POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  );
  const { promise, resolve } = Promise.withResolvers<{ text: string; end: string }>();
  let text = '';
  socket.on('data', (bytes) => {
    text += bytes.toString('latin1');
    if (until !== undefined && text.includes(until)) resolve({ text, end: 'open' });
  });
  socket.on('end', () => resolve({ text, end: 'fin' }));
  socket.on('error', (error) => resolve({ text, end: error.message.includes('ECONNRESET') ? 'reset' : error.message }));
  const seen = await promise;
  socket.destroy();
  return seen;
}

async function broken(engine: ScriptedEngine, behaviour: Behaviour): Promise<{ text: string; end: string }> {
  engine.respond(behaviour);
  return overSocket(engine);
}

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
    // Ollama loses the error: what comes is an empty chunk (O§5).
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

test.each([
  ['vllm', 'at once', 200],
  ['llamacpp', 'only when a slot is free', 'waits'],
] as const)('%s sends the head of a stream %s', async (imitates, _when, expected) => {
  const engine = await start({ imitates, slots: 1 });
  engine.respond([stallsAfter(1)]);
  const first = new AbortController();
  await chat(engine, { stream: true }, { signal: first.signal });
  const second = chat(engine, { stream: true });
  await engine.when(({ waiting }) => waiting === 1);
  // The head of the one that has it is on its way already; a later request is answered after it.
  const probe = fetch(`${engine.url}/metrics`).then((reply) => reply.text());
  expect(await Promise.race([second.then(({ status }) => status), probe.then(() => 'waits')])).toBe(expected);
  first.abort();
  expect(await (await second).text()).toContain('[DONE]');
  expect(engine.abortsSeen).toBe(1);
});

test('a full TGI refuses where a full Ollama queues', async () => {
  const full = async (imitates: EngineKind): Promise<ScriptedEngine> => {
    const engine = await start({ imitates, slots: 1 });
    engine.respond([stallsAfter(1)]);
    await chat(engine, { stream: true });
    return engine;
  };
  expect((await chat(await full('tgi'))).status).toBe(429);
  const ollama = await full('ollama');
  const queued = new AbortController();
  const second = chat(ollama, {}, { signal: queued.signal });
  await ollama.when(({ waiting }) => waiting === 1);
  queued.abort();
  await expect(second).rejects.toThrow('aborted');
  await ollama.when(({ waiting }) => waiting === 0);
});

function strip(texts: readonly string[]): string {
  return texts.join('\n').replaceAll(/chatcmpl-\d+/g, 'id');
}

describe('on the wire', () => {
  test('a stream dies by FIN, by reset, or ends cleanly without [DONE]', async () => {
    const engine = await start({ imitates: 'vllm' });
    const fin = await broken(engine, diesAfter(2));
    expect(fin.end).toBe('fin');
    expect(fin.text.match(/data: /g)).toHaveLength(2);
    expect(fin.text.endsWith('0\r\n\r\n')).toBe(false);
    const reset = await broken(engine, diesAfter(2, 'reset'));
    expect(reset.end).toBe('reset');
    engine.respond(diesAfter(2, 'end'));
    expect(await events(engine)).toHaveLength(2);
    expect(engine.posts.map(({ ending }) => ending)).toEqual(['cut', 'cut', 'completed']);
  });

  test('a stall keeps the connection open and notes who hung up', async () => {
    const engine = await start({ imitates: 'sglang' });
    engine.respond(stallsAfter(2));
    const { text, end } = await overSocket(engine, 't1 ');
    expect([end, text.includes('[DONE]')]).toEqual(['open', false]);
    await engine.when(({ abortsSeen }) => abortsSeen === 1);
    expect(engine.posts[0]?.endedAt).toBeGreaterThan(engine.posts[0]?.startedAt ?? Infinity);
  });

  test('it hangs before the head, and hangs up before any byte', async () => {
    const engine = await start({ imitates: 'vllm' });
    engine.respond([hang(), hangUp('fin'), hangUp('reset'), hangUp('fin', 'head')]);
    const gone = new AbortController();
    const silent = chat(engine, {}, { signal: gone.signal });
    await engine.when(({ posts }) => posts[0]?.received === true);
    gone.abort();
    await expect(silent).rejects.toThrow('aborted');
    expect(await overSocket(engine)).toEqual({ text: '', end: 'fin' });
    expect(await overSocket(engine)).toEqual({ text: '', end: 'reset' });
    expect((await overSocket(engine)).text).toMatch(/^HTTP\/1\.1 200 OK[^]*\r\n\r\n$/);
  });

  test('bytes leave as told: split, dripped, with other line ends, a mark and comments', async () => {
    const engine = await start({ imitates: 'vllm' });
    const whole = await events(engine);
    engine.respond([
      split(7),
      drip(0),
      split([1, 50], { commentBetween: true }),
      answer({ framing: { lineEnd: '\r\n', byteOrderMark: true } }),
    ]);
    expect(strip(await events(engine))).toBe(strip(whole));
    const { text } = await overSocket(engine, '[\r\n1\r\nD');
    expect(text).toContain('1\r\nd\r\n1\r\na\r\n1\r\nt\r\n1\r\na\r\n');
    expect(strip(await events(engine))).toBe(strip(whole));
    const marked = Buffer.from(await (await chat(engine, { stream: true })).arrayBuffer());
    expect(marked.subarray(0, 9).toString('hex')).toBe(Buffer.from('\uFEFFdata: ').toString('hex'));
    expect(marked.toString()).toContain('\r\n\r\n');
  });

  test('heads can be huge, garbage, contradictory, redirecting or preceded by an interim one', async () => {
    const engine = await start({ imitates: 'vllm' });
    expect((await broken(engine, garbageStatusLine())).text).toBe('HTPP/9.9 banana\r\n\r\n');
    expect((await broken(engine, lengthAndChunked())).text).toMatch(/Content-Length: 11\r\nTransfer-Encoding: chunked/);
    expect((await broken(engine, wrongLength(5))).text).toMatch(/Content-Length: 16\r\n\r\n{"ok":true}$/);
    expect(await broken(engine, raw(['one', 1, Buffer.from(' two')], 'reset'))).toEqual({
      text: 'one two',
      end: 'reset',
    });
    engine.respond([hugeHeader(), redirect('http://127.0.0.1:1/'), emptyReply(), answer({ interim: [100] })]);
    expect((await overSocket(engine, '[DONE]')).text.length).toBeGreaterThan(20_480);
    expect((await chat(engine)).headers.get('location')).toBe('http://127.0.0.1:1/');
    expect(await (await chat(engine)).text()).toBe('');
    expect((await overSocket(engine, '[DONE]')).text).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK/);
  });

  test('a body can be cut, delimited by the close, endless, or of the other kind', async () => {
    const engine = await start({ imitates: 'openai' });
    engine.respond([cutAfterBytes(20, 'fin', { transfer: 'close', shape: 'plain' }), endless('one-event'), aborted()]);
    const cut = await overSocket(engine);
    expect(cut.end).toBe('fin');
    expect(cut.text).toMatch(/\r\n\r\n.{20}$/);
    expect((await overSocket(engine, 'eeee')).end).toBe('open');
    expect((await events(engine)).join('')).toContain('"finish_reason":"abort"');
    engine.respond(answer({ shape: 'stream' }));
    expect((await chat(engine)).headers.get('content-type')).toContain('text/event-stream');
    engine.respond(errorEvent({ error: { message: 'mine' } }, { done: false }));
    expect(await events(engine)).toEqual(['{"error":{"message":"mine"}}']);
  });
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
