// Streams that waited and were told so, and streams that a second backend went on with: to the official clients they are
// streams like any other.
import { streamText } from 'ai';
import { describe, expect, it, vi } from 'vitest';
import type { RunningRouter } from '../support/running-router.ts';
import { answer, diesAfter, stallsAfter } from '../support/scripted/behaviours.ts';
import { aiOf, messages, model, openaiOf, routersOfTest } from './clients-of-test.ts';

const start = routersOfTest();

/** The two boxes of `two`: whichever is asked first dies behind `one two`, the other one goes on. */
async function mended(): Promise<RunningRouter> {
  const router = await start({
    engines: [{ imitates: 'vllm' }, { imitates: 'vllm' }],
    models: { [model]: { continuation: true } },
  });
  let asked = 0;
  for (const engine of router.engines) {
    engine.respond(() =>
      ++asked === 1
        ? diesAfter(3, 'reset', { pieces: ['one', ' two', ' lost'] })
        : answer({ pieces: [' three', ' four'], promptTokens: 20 }),
    );
  }
  return router;
}

async function waited(): Promise<{ readonly router: RunningRouter; readonly letGo: () => void }> {
  const router = await start({
    engines: [{ imitates: 'vllm', backend: { maxInFlight: 1 } }],
    queue: { maxLength: 5, maxWaitMs: 20_000, comments: true },
  });
  router.engine.respond([stallsAfter(2), answer({ pieces: ['one', ' two', ' three', ' four'] })]);
  const gone = new AbortController();
  const first = await router.chat({ stream: true }, { signal: gone.signal });
  return {
    router,
    letGo: () => {
      gone.abort();
      first.text().catch(() => {});
    },
  };
}

describe('the official Node SDK', () => {
  it('reads a stream that was gone on with as one, usage included', async () => {
    const router = await mended();
    const stream = openaiOf(router).chat.completions.stream({
      model,
      messages,
      stream_options: { include_usage: true },
    });
    const final = await stream.finalChatCompletion();
    expect(final.choices[0]?.message.content).toBe('one two three four');
    expect(final.choices[0]?.finish_reason).toBe('stop');
    expect(final.usage).toMatchObject({ prompt_tokens: 18, completion_tokens: 4, total_tokens: 22 });
  });

  it('reads over the comments of a stream that waited', async () => {
    const { router, letGo } = await waited();
    const { data, response } = await openaiOf(router)
      .chat.completions.create({ model, messages, stream: true })
      .withResponse();
    expect(response.headers.get('x-switchyard-backend')).toBe('none');
    letGo();
    let text = '';
    for await (const { choices } of data) text += choices[0]?.delta.content ?? '';
    expect(text).toBe('one two three four');
  });
});

describe('the AI SDK', () => {
  it('reads a stream that was gone on with as one', async () => {
    const { text, usage } = streamText({ model: aiOf(await mended())(model), messages });
    expect(await text).toBe('one two three four');
    expect(await usage).toMatchObject({ inputTokens: 18, outputTokens: 4 });
  });

  it('reads over the comments of a stream that waited', async () => {
    const { router, letGo } = await waited();
    const { text } = streamText({ model: aiOf(router)(model), messages });
    const reading = Promise.resolve(text);
    await vi.waitFor(() => expect(router.service.held().waiting).toBe(1));
    letGo();
    expect(await reading).toBe('one two three four');
  });
});
