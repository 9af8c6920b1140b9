// Tool calls through the official Node SDK: asked for, streamed in parts, and run by its own loop.
import { describe, expect, it } from 'vitest';
import { answer } from '../support/scripted/behaviours.ts';
import { all, failureOf, imitated, kinds, messages, model, oneOf, openaiOf, routersOfTest } from './clients-of-test.ts';

const start = routersOfTest();

const weather = {
  type: 'function' as const,
  function: {
    name: 'weather',
    description: 'The weather in a city',
    parameters: {
      type: 'object',
      properties: { city: { type: 'string' } },
      required: ['city'],
      additionalProperties: false,
    },
  },
};
const clock = {
  type: 'function' as const,
  function: { name: 'clock', parameters: { type: 'object', properties: {} } },
};
const inParis = { name: 'weather', arguments: '{"city":"Paris"}' };

describe.each(kinds)('a tool in front of %s', (kind) => {
  it('is called when one is required, and when it is named', async () => {
    const client = openaiOf(await start(oneOf(kind)));
    const request = { model, messages, tools: [weather, clock] };
    const required = await client.chat.completions.create({ ...request, tool_choice: 'required' });
    expect(required.choices[0]).toMatchObject({
      finish_reason: 'tool_calls',
      message: { content: null, tool_calls: [{ type: 'function', function: { name: 'weather' } }] },
    });
    const named = await client.chat.completions.create({
      ...request,
      tool_choice: { type: 'function', function: { name: 'clock' } },
    });
    expect(named.choices[0]?.message.tool_calls).toMatchObject([{ function: { name: 'clock', arguments: '{}' } }]);
  });

  it('is called on a stream too, and the SDK puts the call together', async () => {
    const { engines, url } = await start(oneOf(kind));
    for (const engine of engines) engine.respond(answer({ pieces: [''], tool: inParis }));
    const client = openaiOf({ url });
    const request = { model, messages, tools: [weather], tool_choice: 'required' as const };
    const chunks = await all(await client.chat.completions.create({ ...request, stream: true }));
    const parts = chunks.flatMap(({ choices }) => choices[0]?.delta.tool_calls ?? []);
    expect(parts[0]).toMatchObject({ index: 0, id: expect.stringMatching(/^call_/), function: { name: 'weather' } });
    const written = parts.map((part) => part.function?.arguments ?? '').join('');
    expect(JSON.parse(written)).toBeTypeOf('object');
    const message = await client.chat.completions.stream(request).finalMessage();
    expect(message.tool_calls).toMatchObject([{ type: 'function', function: { name: 'weather', arguments: written } }]);
  });
});

describe.each(imitated)("the SDK's own loop in front of %s", (kind) => {
  const tools = [
    {
      type: 'function' as const,
      function: {
        ...weather.function,
        parse: (text: string): unknown => JSON.parse(text),
        function: (place: unknown) => ({ place, degrees: 21 }),
      },
    },
  ];
  // The empty piece brings the role, which the SDK's stream helper insists on.
  const script = [answer({ pieces: [''], tool: inParis }), answer({ pieces: ['21 ', 'degrees'] })];

  it('calls the function and hands its result to the model', async () => {
    const { engine, url } = await start(oneOf(kind));
    engine.respond(script);
    const runner = openaiOf({ url }).chat.completions.runTools({ model, messages, tools });
    expect(await runner.finalContent()).toBe('21 degrees');
    expect(engine.posts[1]?.json['messages']).toEqual([
      ...messages,
      expect.objectContaining({ role: 'assistant', tool_calls: [expect.objectContaining({ function: inParis })] }),
      {
        role: 'tool',
        tool_call_id: expect.stringMatching(/^call_/),
        content: '{"place":{"city":"Paris"},"degrees":21}',
      },
    ]);
  });

  it('does the same with streams', async () => {
    const { engine, url } = await start(oneOf(kind));
    engine.respond(script);
    const runner = openaiOf({ url }).chat.completions.runTools({ model, messages, tools, stream: true });
    expect(await runner.finalContent()).toBe('21 degrees');
    expect(engine.posts.map(({ json }) => json['stream'])).toEqual([true, true]);
  });
});

describe('tools that nobody offers', () => {
  it('are refused as unsupported once every backend has said so', async () => {
    const { engine, url } = await start({ engines: [{ imitates: 'ollama', can: { tools: false } }] });
    const ask = () => openaiOf({ url }).chat.completions.create({ model, messages, tools: [weather] });
    const failure = await failureOf(ask());
    expect(failure).toMatchObject({ status: 501, type: 'unsupported', message: expect.stringContaining('tools') });
    expect(engine.posts).toEqual([]);
  });
});
