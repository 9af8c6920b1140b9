// The simulated server as a client sees it, through the official SDK, and what it holds when it is closed.
import OpenAI, { APIError } from 'openai';
import { Agent } from 'undici';
import { afterEach, expect, test } from 'vitest';
import { type SimulatedOptions, type SimulatedServer, startSimulated } from '../../src/simulated/server.ts';

const servers: SimulatedServer[] = [];

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

async function start(options: Partial<SimulatedOptions> = {}): Promise<SimulatedServer> {
  const server = await startSimulated({ models: ['demo'], firstTokenMs: 0, tokensPerSecond: 1e6, ...options });
  servers.push(server);
  return server;
}

function clientOf({ url }: SimulatedServer): OpenAI {
  return new OpenAI({ baseURL: `${url}/v1`, apiKey: 'none', maxRetries: 0 });
}

async function all<Item>(items: AsyncIterable<Item>): Promise<readonly Item[]> {
  const seen: Item[] = [];
  for await (const item of items) seen.push(item);
  return seen;
}

const messages = [{ role: 'user' as const, content: 'Good morning' }];

const weather = {
  type: 'function' as const,
  function: {
    name: 'weather',
    parameters: {
      type: 'object',
      properties: { city: { type: 'string' }, days: { type: 'integer', minimum: 1 } },
      required: ['city', 'days'],
    },
  },
};

test('a chat says that it is simulated and repeats what was said', async () => {
  const { data, response } = await clientOf(await start({ name: 'demo-1' }))
    .chat.completions.create({ model: 'demo', messages })
    .withResponse();
  const text = data.choices[0]?.message.content;
  expect(text).toBe(
    'This is a simulated answer from Switchyard backend "demo-1", no model was run. You said: Good morning',
  );
  expect(data.system_fingerprint).toBe('switchyard-simulated');
  expect(data.usage?.total_tokens).toBe((data.usage?.prompt_tokens ?? 0) + (data.usage?.completion_tokens ?? 0));
  expect(response.headers.get('x-simulated')).toBe('true');
});

test('an answer that has begun is gone on with, in a chat and in a completion', async () => {
  const client = clientOf(await start());
  const whole = (await client.chat.completions.create({ model: 'demo', messages })).choices[0]?.message.content ?? '';
  const begun = whole.slice(0, whole.indexOf(' no model'));
  const chat = await client.chat.completions.create({
    model: 'demo',
    messages: [...messages, { role: 'assistant', content: begun }],
  });
  expect(begun + (chat.choices[0]?.message.content ?? '')).toBe(whole);
  const plain = await client.completions.create({ model: 'demo', prompt: 'Good morning' });
  const rest = await client.completions.create({ model: 'demo', prompt: `Good morning${begun}` });
  expect(begun + (rest.choices[0]?.text ?? '')).toBe(plain.choices[0]?.text);
});

test('a streamed chat has the same text, and usage when asked', async () => {
  const client = clientOf(await start());
  const plain = await client.chat.completions.create({ model: 'demo', messages });
  const options = { stream: true, stream_options: { include_usage: true } } as const;
  const chunks = await all(await client.chat.completions.create({ model: 'demo', messages, ...options }));
  expect(chunks[0]?.choices[0]?.delta).toEqual({ role: 'assistant', content: '' });
  const text = chunks.map(({ choices }) => choices[0]?.delta.content ?? '').join('');
  expect(text).toBe(plain.choices[0]?.message.content);
  expect(chunks.at(-2)?.choices[0]?.finish_reason).toBe('stop');
  expect(chunks.at(-1)).toMatchObject({ choices: [], usage: plain.usage });
  const bare = await all(await client.chat.completions.create({ model: 'demo', messages, stream: true }));
  expect(bare.at(-1)?.choices[0]?.finish_reason).toBe('stop');
});

test('both bounds on tokens end an answer with "length"', async () => {
  const client = clientOf(await start());
  for (const bound of [{ max_tokens: 3 }, { max_completion_tokens: 3 }]) {
    const { choices, usage } = await client.chat.completions.create({ model: 'demo', messages, ...bound });
    expect(choices[0]).toMatchObject({ finish_reason: 'length', message: { content: 'This is a' } });
    expect(usage?.completion_tokens).toBe(3);
  }
});

test('a required tool is called with arguments of its shape, plain and streamed', async () => {
  const client = clientOf(await start());
  const request = { model: 'demo', messages, tools: [weather], tool_choice: 'required' as const };
  const plain = await client.chat.completions.create(request);
  const call = { type: 'function', function: { name: 'weather', arguments: '{"city":"simulated","days":1}' } };
  expect(plain.choices[0]).toMatchObject({
    finish_reason: 'tool_calls',
    message: { content: null, tool_calls: [call] },
  });
  const streamed = await client.chat.completions.stream(request).finalChatCompletion();
  expect(streamed.choices[0]?.message.tool_calls).toMatchObject([call]);
});

test('a named tool is called, an automatic choice answers in words, and an unknown name is refused', async () => {
  const client = clientOf(await start());
  const ask = (name: string) =>
    client.chat.completions.create({
      model: 'demo',
      messages,
      tools: [weather],
      tool_choice: { type: 'function', function: { name } },
    });
  expect((await ask('weather')).choices[0]?.message.tool_calls).toHaveLength(1);
  const words = await client.chat.completions.create({ model: 'demo', messages, tools: [weather] });
  expect(words.choices[0]?.message.tool_calls).toBeUndefined();
  await expect(ask('other')).rejects.toMatchObject({ status: 400, param: 'tool_choice' });
});

test('a JSON schema gets JSON of its shape', async () => {
  const schema = {
    type: 'object',
    properties: {
      colour: { enum: ['red', 'green'] },
      sizes: { type: 'array', items: { type: 'number' }, minItems: 2 },
      owner: { $ref: '#/$defs/owner' },
      note: { anyOf: [{ type: 'null' }, { type: 'string' }] },
    },
    required: ['colour', 'sizes', 'owner', 'note'],
    $defs: { owner: { type: 'object', properties: { name: { type: 'string' }, adult: { type: 'boolean' } } } },
  };
  const format = { type: 'json_schema' as const, json_schema: { name: 'thing', schema, strict: true } };
  const { choices } = await clientOf(await start()).chat.completions.create({
    model: 'demo',
    messages,
    response_format: format,
  });
  expect(JSON.parse(choices[0]?.message.content ?? '')).toEqual({
    colour: 'red',
    sizes: [0, 0],
    owner: { name: 'simulated', adult: false },
    note: null,
  });
});

test('a completion works plain and streamed', async () => {
  const client = clientOf(await start());
  const plain = await client.completions.create({ model: 'demo', prompt: 'Once' });
  expect(plain.choices[0]?.text).toContain('You said: Once');
  const chunks = await all(await client.completions.create({ model: 'demo', prompt: 'Once', stream: true }));
  expect(chunks.map(({ choices }) => choices[0]?.text).join('')).toBe(plain.choices[0]?.text);
});

test('embeddings are unit vectors that depend on the input only', async () => {
  const client = clientOf(await start());
  const embed = async (
    input: string | string[] | number[],
    encoding_format: 'float' | 'base64',
    dimensions?: number,
  ) => {
    const reply = await client.embeddings.create({
      model: 'demo',
      input,
      encoding_format,
      ...(dimensions && { dimensions }),
    });
    return reply.data.map(({ embedding }) => embedding);
  };
  const [one = [], two = []] = await embed(['a', 'b'], 'float');
  expect(one).toHaveLength(384);
  expect(Math.hypot(...one)).toBeCloseTo(1, 5);
  expect(one).not.toEqual(two);
  expect(await embed('b', 'float')).toEqual([two]);
  const sdkDefault = await client.embeddings.create({ model: 'demo', input: 'b' });
  expect(sdkDefault.data[0]?.embedding).toEqual(two);
  const [encoded] = await embed('b', 'base64');
  expect(String(encoded)).toBe(Buffer.from(new Float32Array(two).buffer).toString('base64'));
  expect((await embed([1, 2, 3], 'float', 16))[0]).toHaveLength(16);
});

test('the list of models tells context and capabilities', async () => {
  const { data } = await clientOf(await start({ models: ['a', 'b'] })).models.list();
  expect(data.map(({ id }) => id)).toEqual(['a', 'b']);
  expect(data[0]).toMatchObject({
    owned_by: 'switchyard-simulated',
    context_length: 8192,
    capabilities: { 'chat-completions': true, embeddings: true, tools: true, json_schema: true },
  });
});

test('what can not be served is refused in the shape of the API', async () => {
  const server = await start();
  const unknown = clientOf(server).chat.completions.create({ model: 'other', messages });
  await expect(unknown).rejects.toBeInstanceOf(APIError);
  await expect(unknown).rejects.toMatchObject({ status: 404, code: 'model_not_found', param: 'model' });
  const post = (path: string, body: string | Buffer): Promise<Response> =>
    fetch(server.url + path, { method: 'POST', body });
  const statuses = [
    await post('/v1/chat/completions', '{"model":'),
    await post('/v1/chat/completions', '{"model":"demo","messages":[]}'),
    await post('/v1/nothing', '{}'),
    await post('/v1/models', '{}'),
    await fetch(`${server.url}/health`),
  ].map(({ status }) => status);
  expect(statuses).toEqual([400, 400, 404, 405, 200]);
  const tooLarge = await post('/v1/chat/completions', Buffer.alloc(17 * 2 ** 20));
  expect([tooLarge.status, tooLarge.headers.get('connection')]).toEqual([413, 'close']);
});

function timers(): number {
  return process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
}

/** Streams through a connection of its own, so that it ends with it. */
async function slowStream({ url }: SimulatedServer, signal?: AbortSignal) {
  const connection = new Agent();
  const { body } = await connection.request({
    origin: url,
    path: '/v1/chat/completions',
    method: 'POST',
    body: JSON.stringify({ model: 'demo', messages, stream: true }),
    ...(signal && { signal }),
  });
  return { connection, body };
}

test('a caller that hangs up ends its timers at once', async () => {
  const server = await start({ firstTokenMs: 1e8 });
  const before = timers();
  const gone = new AbortController();
  const { connection, body } = await slowStream(server, gone.signal);
  await expect.poll(timers).toBeGreaterThan(before);
  gone.abort();
  await expect(body.text()).rejects.toThrow('aborted');
  await connection.destroy();
  await expect.poll(timers).toBeLessThanOrEqual(before);
});

test('closing ends streams, connections and timers, and may be repeated', async () => {
  const server = await start({ firstTokenMs: 1e8 });
  const { connection, body } = await slowStream(server);
  await Promise.all([server.close(), expect(body.text()).rejects.toThrow('other side closed')]);
  await server.close();
  await connection.destroy();
  await expect(fetch(`${server.url}/health`)).rejects.toThrow('fetch failed');
});
