// The Vercel AI SDK through the router: text, tools that it runs itself, structured output.
import { generateObject, generateText, jsonSchema, Output, stepCountIs, streamText, tool } from 'ai';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { answer } from '../support/scripted/behaviours.ts';
import { aiOf, all, imitated, kinds, model, oneOf, routersOfTest } from './clients-of-test.ts';

const start = routersOfTest();
const prompt = 'Good morning';

describe.each(kinds)('text in front of %s', (kind) => {
  const text = kind === 'simulated' ? expect.stringContaining('You said: Good morning') : 't1 t2 t3 ';

  it('is generated, with a reason for its end and its usage', async () => {
    const result = await generateText({ model: aiOf(await start(oneOf(kind)))(model), prompt, maxRetries: 0 });
    expect(result.text).toEqual(text);
    expect(result.finishReason).toBe('stop');
    expect(result.usage.outputTokens).toBeGreaterThan(0);
    expect(result.response.modelId).toBe(model);
  });

  it('is streamed, with its usage at the end', async () => {
    const result = streamText({ model: aiOf(await start(oneOf(kind)))(model), prompt, maxRetries: 0 });
    const pieces = await all(result.textStream);
    expect(pieces.length).toBeGreaterThan(2);
    expect(pieces.join('')).toEqual(text);
    expect(await result.finishReason).toBe('stop');
    expect((await result.usage).outputTokens).toBeGreaterThan(0);
  });

  it('is completed from a prompt without messages', async () => {
    const provider = aiOf(await start(oneOf(kind)));
    const plain = await generateText({ model: provider.completionModel(model), prompt, maxRetries: 0 });
    const streamed = streamText({ model: provider.completionModel(model), prompt, maxRetries: 0 });
    expect(plain.text).toMatch(/\S/);
    expect((await all(streamed.textStream)).join('')).toBe(plain.text);
  });
});

describe.each(imitated)('tools in front of %s', (kind) => {
  const weather = tool({
    description: 'The weather in a city',
    inputSchema: z.object({ city: z.string() }),
    execute: ({ city }) => Promise.resolve({ city, degrees: 21 }),
  });
  const script = [
    answer({ tool: { name: 'weather', arguments: '{"city":"Paris"}' } }),
    answer({ pieces: ['21 ', 'degrees'] }),
  ];
  const asked = { prompt, tools: { weather }, stopWhen: stepCountIs(3), maxRetries: 0 };

  it('are run, and their results go back to the model', async () => {
    const { engine, url } = await start(oneOf(kind));
    engine.respond(script);
    const result = await generateText({ model: aiOf({ url })(model), ...asked });
    expect(result.text).toBe('21 degrees');
    expect(result.steps.map(({ finishReason }) => finishReason)).toEqual(['tool-calls', 'stop']);
    expect(result.steps[0]?.toolResults).toMatchObject([{ output: { city: 'Paris', degrees: 21 } }]);
    expect(engine.posts[1]?.json['messages']).toMatchObject([
      { role: 'user' },
      { role: 'assistant', tool_calls: [{ function: { name: 'weather', arguments: '{"city":"Paris"}' } }] },
      { role: 'tool', content: '{"city":"Paris","degrees":21}' },
    ]);
  });

  it('are run between two streams', async () => {
    const { engine, url } = await start(oneOf(kind));
    engine.respond(script);
    const result = streamText({ model: aiOf({ url })(model), ...asked });
    expect((await all(result.textStream)).join('')).toBe('21 degrees');
    const [first] = await result.steps;
    expect(first?.toolCalls).toMatchObject([{ toolName: 'weather', input: { city: 'Paris' } }]);
    expect(engine.posts.map(({ json }) => json['stream'])).toEqual([true, true]);
  });
});

describe('a simulated model', () => {
  it('calls a required tool, and answers in words once it has the result', async () => {
    const cities: string[] = [];
    const visit = tool({
      inputSchema: z.object({ city: z.string() }),
      execute: ({ city }) => Promise.resolve(cities.push(city)),
    });
    const result = await generateText({
      model: aiOf(await start(oneOf('simulated')))(model),
      prompt,
      tools: { visit },
      prepareStep: ({ stepNumber }) => ({ toolChoice: stepNumber === 0 ? 'required' : 'auto' }),
      stopWhen: stepCountIs(3),
      maxRetries: 0,
    });
    expect(cities).toEqual(['simulated']);
    expect(result.text).toContain('You said: Good morning');
  });

  it('fills a schema as an object and as an output, plain and streamed', async () => {
    const chat = aiOf(await start(oneOf('simulated')))(model);
    const schema = z.object({ name: z.string(), sizes: z.array(z.number()).min(2), adult: z.boolean() });
    const expected = { name: 'simulated', sizes: [0, 0], adult: false };
    expect((await generateObject({ model: chat, schema, prompt, maxRetries: 0 })).object).toEqual(expected);
    const output = Output.object({ schema });
    expect((await generateText({ model: chat, output, prompt, maxRetries: 0 })).output).toEqual(expected);
    expect(await streamText({ model: chat, output, prompt, maxRetries: 0 }).output).toEqual(expected);
  });
});

describe.each(imitated)('a schema in front of %s', (kind) => {
  it('arrives as it was written, and the answer is checked against it', async () => {
    const { engine, url } = await start(oneOf(kind));
    engine.respond(answer({ pieces: ['{"title":', '"Soup","minutes":20}'] }));
    const schema = {
      type: 'object' as const,
      properties: { title: { type: 'string' as const }, minutes: { type: 'integer' as const } },
      required: ['title', 'minutes'],
    };
    const output = Output.object({ schema: jsonSchema(schema) });
    const request = { model: aiOf({ url })(model), prompt, maxRetries: 0 };
    expect((await generateText({ ...request, output })).output).toEqual({ title: 'Soup', minutes: 20 });
    const partial = await all(streamText({ ...request, output }).partialOutputStream);
    expect(partial.at(-1)).toEqual({ title: 'Soup', minutes: 20 });
    const format = { type: 'json_schema', json_schema: expect.objectContaining({ schema }) };
    expect(engine.posts.map(({ json }) => json['response_format'])).toEqual([format, format]);
  });
});
