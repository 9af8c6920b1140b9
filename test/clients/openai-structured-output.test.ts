// Structured output through the official Node SDK: the schema goes down unchanged, and what comes up is parsed.
import { LengthFinishReasonError } from 'openai/error';
import { zodResponseFormat } from 'openai/helpers/zod';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { answer } from '../support/scripted/behaviours.ts';
import { failureOf, imitated, messages, model, oneOf, openaiOf, routersOfTest } from './clients-of-test.ts';

const start = routersOfTest();

const Recipe = z.object({
  title: z.string(),
  minutes: z.number(),
  steps: z.array(z.object({ text: z.string(), optional: z.boolean() })),
  note: z.string().nullable(),
});
const soup = { title: 'Soup', minutes: 20, steps: [{ text: 'Boil', optional: false }], note: null };
const request = { model, messages, response_format: zodResponseFormat(Recipe, 'recipe') };

describe('a simulated model', () => {
  it('fills a zod schema, plain and streamed', async () => {
    const client = openaiOf(await start(oneOf('simulated')));
    const plain = await client.chat.completions.parse(request);
    const parsed = plain.choices[0]?.message.parsed;
    expect(Recipe.safeParse(parsed).success).toBe(true);
    const streamed = await client.chat.completions.stream(request).finalChatCompletion();
    expect(streamed.choices[0]?.message.parsed).toEqual(parsed);
  });

  it('answers any object when only JSON is asked for', async () => {
    const client = openaiOf(await start(oneOf('simulated')));
    const format = { response_format: { type: 'json_object' as const } };
    const reply = await client.chat.completions.create({ model, messages, ...format });
    expect(JSON.parse(reply.choices[0]?.message.content ?? '')).toEqual({ simulated: true });
  });
});

describe.each(imitated)('a schema in front of %s', (kind) => {
  it('arrives unchanged, and the answer is parsed plain and streamed', async () => {
    const { engine, url } = await start(oneOf(kind));
    engine.respond(answer({ pieces: JSON.stringify(soup).split(/(?<=,)/) }));
    const plain = await openaiOf({ url }).chat.completions.parse(request);
    expect(plain.choices[0]?.message.parsed).toEqual(soup);
    const streamed = await openaiOf({ url }).chat.completions.stream(request).finalChatCompletion();
    expect(streamed.choices[0]?.message.parsed).toEqual(soup);
    const sent: unknown = JSON.parse(JSON.stringify(request.response_format));
    expect(engine.posts.map(({ json }) => json['response_format'])).toEqual([sent, sent]);
  });

  it('that the answer is too short for is an error of the SDK', async () => {
    const { engine, url } = await start(oneOf(kind));
    engine.respond(answer({ pieces: ['{"title":'], finishReason: 'length' }));
    const failure = await failureOf(openaiOf({ url }).chat.completions.parse(request));
    expect(failure).toBeInstanceOf(LengthFinishReasonError);
  });
});
