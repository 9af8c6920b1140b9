import { describe, expect, it } from 'vitest';
import { engines } from '../../src/engines/index.ts';
import { routerPerTest } from '../support/running-router.ts';
import { answer, errorAfter, reply, split } from '../support/scripted/behaviours.ts';
import { timeouts } from '../support/a-fleet.ts';

const { start } = routerPerTest();

function first<T>(list: readonly T[]): T {
  const [one] = list;
  if (one === undefined) throw new Error('the list is empty');
  return one;
}

const kinds = ['vllm', 'sglang', 'tgi', 'ollama', 'llamacpp', 'localai', 'openai'] as const;

describe.each(kinds)('in front of %s', (imitates) => {
  it('finds the engine and its models by itself, and relays a plain answer', async () => {
    const { chat, engine } = await start({ engines: [{ imitates, backend: { engine: 'auto' } }] });
    const response = await chat();
    expect(response.status).toBe(200);
    expect(response.headers.get('x-switchyard-backend')).toBe('b0');
    expect(response.headers.get('x-switchyard-attempts')).toBe('1');
    expect(await response.json()).toMatchObject({ choices: [{ message: { content: 't1 t2 t3 ' } }] });
    expect(engine.posts).toHaveLength(1);
  });

  it('relays a stream to its end, and every byte of it', async () => {
    const { chat, engine, url } = await start({ engines: [{ imitates }] });
    const through = await (await chat({ stream: true })).text();
    const direct = await fetch(`${engine.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'test-model', messages: [{ role: 'user', content: 'hi' }], stream: true }),
    });
    expect(through.endsWith('data: [DONE]\n\n')).toBe(true);
    expect(stable(through)).toBe(stable(await direct.text()));
    expect(url).toContain('127.0.0.1');
  });

  it('passes a good stream wherever its bytes were cut', async () => {
    const { chat, engine } = await start({ engines: [{ imitates }] });
    engine.respond(split(7));
    const text = await (await chat({ stream: true })).text();
    expect(text.match(/t\d /g)).toEqual(['t1 ', 't2 ', 't3 ']);
  });
});

/** Ids and times differ from answer to answer. */
function stable(text: string): string {
  return text.replace(/"(id|created|system_fingerprint)":("[^"]*"|\d+)/g, '"$1":0');
}

describe('what reaches the backend', () => {
  it('is the very bytes the caller sent', async () => {
    const { post, engine } = await start();
    const body =
      '{ "model":"test-model", "seed":12345678901234567890,"x":1e400,"y":-0,"z":1.0,\n"messages":[{"role":"user","content":"\\u00e9\\ud800 \u{1F600}"}],"future":{"a":[1]} }';
    expect((await post('/v1/chat/completions', body)).status).toBe(200);
    expect(engine.posts[0]?.body.toString()).toBe(body);
  });

  it('has a changed model name and no other change where the backend knows it under another one', async () => {
    const { post, engine } = await start({
      engines: [{ imitates: 'vllm', models: ['org/real'] }],
      models: { nice: { aliases: ['gpt-4o'], backendNames: new Map([['b0', 'org/real']]) } },
    });
    const body = (model: string) =>
      `{"seed":12345678901234567890, "mod\\u0065l" : "${model}","messages":[],"o":{"model":"inner"}}`;
    const response = await post('/v1/chat/completions', body('gpt-4o'));
    expect(engine.posts[0]?.body.toString()).toBe(body('org/real'));
    expect(await response.json()).toMatchObject({ model: 'gpt-4o' });
    const stream = await (await post('/v1/chat/completions', '{"model":"gpt-4o","stream":true,"messages":[]}')).text();
    expect(new Set(stream.match(/"model":"[^"]*"/g))).toEqual(new Set(['"model":"gpt-4o"']));
    expect(stream).toContain('data: [DONE]');
  });

  it('carries none of the headers that would leak, confuse or change it', async () => {
    const { chat, engine } = await start({
      server: { forwardHeaders: ['x-session', 'authorization', 'x-conversation-id', 'origin'] },
    });
    const sent = {
      authorization: 'Bearer secret',
      'x-api-key': 'secret',
      cookie: 'a=b',
      origin: 'https://evil',
      'sec-fetch-site': 'cross-site',
      'x-conversation-id': '1',
      'x-forwarded-for': '1.2.3.4',
      'x-unknown': '1',
      'x-session': 's1',
      traceparent: '00-1-2-01',
      'x-request-id': 'abc-1',
    };
    expect((await chat({}, { headers: sent })).headers.get('x-request-id')).toBe('abc-1');
    const headers = engine.posts[0]?.headers ?? {};
    expect(headers).toMatchObject({
      'x-session': 's1',
      traceparent: '00-1-2-01',
      'x-request-id': 'abc-1',
      'accept-encoding': 'identity',
    });
    expect(headers.host).toBe(new URL(engine.url ?? '').host);
    for (const name of [
      'authorization',
      'x-api-key',
      'cookie',
      'origin',
      'sec-fetch-site',
      'x-conversation-id',
      'x-forwarded-for',
      'x-unknown',
      'expect',
    ]) {
      expect(headers).not.toHaveProperty(name);
    }
  });

  it("carries the fleet's own credential where one is configured", async () => {
    const { chat, engine } = await start({
      engines: [{ imitates: 'vllm', apiKey: 'fleet-key', backend: { bearer: 'fleet-key' } }],
    });
    expect((await chat({}, { headers: { authorization: 'Bearer caller' } })).status).toBe(200);
    expect(engine.posts[0]?.headers.authorization).toBe('Bearer fleet-key');
  });
});

describe('usage', () => {
  it('is asked for where the fleet file says so, and taken out again for a caller that did not ask', async () => {
    const { chat, engine, metric } = await start({ engines: [{ imitates: 'vllm', backend: { usage: 'force' } }] });
    const text = await (await chat({ stream: true })).text();
    expect(engine.posts[0]?.json.stream_options).toEqual({ include_usage: true });
    expect(text).not.toContain('"usage"');
    expect(text).toContain('data: [DONE]');
    expect(await metric('switchyard_tokens_total', { type: 'output', model: 'test-model' })).toBe(3);
  });

  it('stays in for a caller that asked, whose bytes are left alone', async () => {
    const { chat, engine } = await start({ engines: [{ imitates: 'vllm', backend: { usage: 'force' } }] });
    const body = { model: 'test-model', messages: [], stream: true, stream_options: { include_usage: true } };
    const text = await (await chat(body)).text();
    expect(text).toContain('"usage":{');
    expect(engine.posts[0]?.body.toString()).toBe(JSON.stringify(body));
  });

  it.each([
    [{}, { include_usage: true }],
    [{ include_usage: false }, { include_usage: true }],
    [{ continuous_usage_stats: false }, { include_usage: true, continuous_usage_stats: false }],
    [null, { include_usage: true }],
  ])('extends stream_options %j', async (given, expected) => {
    const { chat, engine } = await start({ engines: [{ imitates: 'vllm', backend: { usage: 'force' } }] });
    await (await chat({ stream: true, stream_options: given })).text();
    expect(engine.posts[0]?.json.stream_options).toEqual(expected);
  });

  it('is not touched by default', async () => {
    const { chat, engine } = await start();
    await (await chat({ stream: true })).text();
    expect(engine.posts[0]?.json).not.toHaveProperty('stream_options');
  });
});

describe('a stream', () => {
  it('leaves event by event, as the events come', async () => {
    const { chat, engine } = await start();
    engine.respond(answer({ count: 2, cut: { after: 2, of: 'events', how: 'stall' } }));
    const caller = new AbortController();
    const response = await chat({ stream: true }, { signal: caller.signal });
    const reader = response.body?.getReader();
    const chunk = await reader?.read();
    expect(Buffer.from(chunk?.value ?? []).toString()).toContain('t1 ');
    caller.abort();
    await expect(reader?.closed).rejects.toThrow('aborted');
  });

  it.each(['\n', '\r\n', '\r'] as const)(
    'with line ends %j and a byte order mark passes byte for byte',
    async (lineEnd) => {
      const { chat, engine } = await start();
      engine.respond(answer({ framing: { lineEnd, byteOrderMark: true, split: 5 } }));
      const text = Buffer.from(await (await chat({ stream: true })).arrayBuffer()).toString();
      expect(text.startsWith('\uFEFFdata: {')).toBe(true);
      expect(text.endsWith(`data: [DONE]${lineEnd}${lineEnd}`)).toBe(true);
    },
  );

  it('passes comments, which neither commit nor count as progress', async () => {
    const { chat, engine } = await start({ engines: [{ imitates: 'tgi' }] });
    engine.respond(answer({ commentBetween: true }));
    const text = await (await chat({ stream: true })).text();
    expect(text.startsWith(':')).toBe(true);
    expect(text).toContain('[DONE]');
  });

  it("passes the engine's own error event untouched, with what follows it, and counts a failure", async () => {
    const { chat, engine, metric } = await start();
    engine.respond(errorAfter(2));
    const text = await (await chat({ stream: true })).text();
    expect(text).toMatch(/data: \{"error":.*\n\ndata: \[DONE\]\n\n$/);
    expect(await metric('switchyard_requests_total', { outcome: 'backend_error' })).toBe(1);
  });

  it('that was asked for and answered with JSON passes as it is', async () => {
    const { chat, engine } = await start();
    engine.respond(answer({ shape: 'plain' }));
    const response = await chat({ stream: true });
    expect(response.headers.get('content-type')).toContain('application/json');
    expect(await response.json()).toMatchObject({ object: 'chat.completion' });
  });

  it('that was not asked for passes as it is', async () => {
    const { chat, engine } = await start();
    engine.respond(answer({ shape: 'stream' }));
    expect(await (await chat()).text()).toContain('data: [DONE]');
  });

  it('that a slow caller reads is held back at the backend, not in memory', async () => {
    const { chat, engine } = await start({
      engines: [{ imitates: 'vllm', backend: { timeouts: { ...timeouts, gapMs: 200 } } }],
    });
    engine.respond(answer({ pieces: Array.from({ length: 400 }, (_, n) => `${n}:${'x'.repeat(50_000)} `) }));
    const response = await chat({ stream: true });
    const before = process.memoryUsage().arrayBuffers;
    await new Promise((resolve) => void setTimeout(resolve, 600));
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(15_000_000);
    const text = await response.text();
    expect(text.match(/\d+:x/g)).toHaveLength(400);
    expect(text).toContain('[DONE]');
  });
});

describe('a plain answer', () => {
  it('beyond 1 MiB carries the name that was asked, however late it stands', async () => {
    const { post, engine } = await start({ models: { 'test-model': { aliases: ['nice'] } } });
    const long = JSON.stringify({
      object: 'chat.completion',
      choices: [{ message: { content: 'z'.repeat(2_000_000) } }],
      model: 'test-model',
    });
    engine.respond(reply(200, long, { 'content-type': 'application/json' }));
    const text = await (await post('/v1/chat/completions', { model: 'nice', messages: [] })).text();
    expect(text).toBe(long.replace('"test-model"', '"nice"'));
  });

  it('beyond 1 MiB streams on, whole', async () => {
    const { chat, engine } = await start();
    engine.respond(answer({ pieces: ['y'.repeat(3_000_000)] }));
    const reply: unknown = await (await chat()).json();
    expect(
      JSON.stringify(reply)
        .match(/y+/g)
        ?.map((run) => run.length),
    ).toContain(3_000_000);
  });
});

it('covers every engine there is', () => {
  expect([...kinds, 'simulated'].toSorted()).toEqual(Object.keys(engines).toSorted());
  expect(first(kinds)).toBe('vllm');
});
