// A stream that breaks after content: the official Node SDK must raise, and never take what it got for the whole.
import { APIError } from 'openai';
import { describe, expect, it } from 'vitest';
import { timeouts } from '../support/a-fleet.ts';
import { aborted, type Behaviour, diesAfter, errorAfter, stallsAfter } from '../support/scripted/behaviours.ts';
import type { RunningRouter } from '../support/running-router.ts';
import { failureOf, imitated, messages, model, oneOf, openaiOf, routersOfTest } from './clients-of-test.ts';

const start = routersOfTest();

/** What the loop saw of a stream, and what it ended with. */
async function heard(router: Pick<RunningRouter, 'url'>): Promise<{ text: string; failure: unknown }> {
  const stream = await openaiOf(router, { maxRetries: 2 }).chat.completions.create({ model, messages, stream: true });
  let text = '';
  const failure = await failureOf(
    (async () => {
      for await (const { choices } of stream) text += choices[0]?.delta.content ?? '';
    })(),
  );
  return { text, failure };
}

describe.each(imitated)('a stream of %s', (kind) => {
  it.each(['fin', 'reset', 'end'] as const)('that ends early raises, whatever came before (%s)', async (how) => {
    const { engine, url } = await start(oneOf(kind));
    engine.respond(diesAfter(3, how));
    const { text, failure } = await heard({ url });
    expect(text).toMatch(/^t1 /);
    expect(failure).toBeInstanceOf(APIError);
    expect(failure).toMatchObject({
      type: 'backend_broken',
      message: expect.stringContaining('"b0"'),
      requestID: expect.any(String),
    });
    expect(engine.posts).toHaveLength(1);
  });

  it('that ends early makes the helpers of the SDK fail too', async () => {
    const { engine, url } = await start(oneOf(kind));
    engine.respond(diesAfter(3));
    const stream = openaiOf({ url }).chat.completions.stream({ model, messages });
    const failures = await Promise.all([stream.finalContent(), stream.finalMessage(), stream.done()].map(failureOf));
    for (const failure of failures) expect(failure).toMatchObject({ type: 'backend_broken' });
  });

  it('that falls silent raises when the gap has become too long', async () => {
    const [wished] = oneOf(kind).engines ?? [];
    const backend = { ...wished?.backend, timeouts: { ...timeouts, gapMs: 100 } };
    const { engine, url } = await start({ engines: [{ imitates: kind, backend }] });
    engine.respond(stallsAfter(3));
    const { text, failure } = await heard({ url });
    expect(text).toMatch(/^t1 /);
    expect(failure).toMatchObject({ type: 'backend_timeout', message: expect.stringContaining('0.1 s') });
  });
});

describe("an engine's own error behind content", () => {
  // Ollama has none: what goes wrong there comes as an empty event and a stream without an end.
  it.each(imitated.filter((kind) => kind !== 'ollama'))('is raised in the words of %s', async (kind) => {
    const { engine, url } = await start(oneOf(kind));
    engine.respond(errorAfter(3));
    const { text, failure } = await heard({ url });
    expect(text).toMatch(/^t1 /);
    expect(failure).toBeInstanceOf(APIError);
    expect(failure).toHaveProperty('message', expect.not.stringContaining('Backend "b0"'));
  });

  it('that Ollama can not tell is told by the router', async () => {
    const { engine, url } = await start(oneOf('ollama'));
    engine.respond(errorAfter(3));
    const { failure } = await heard({ url });
    expect(failure).toMatchObject({ type: 'backend_broken' });
  });

  it('raises nothing when vLLM shuts down: the SDK sees the reason "abort", and the router counts a failure', async () => {
    const { engine, log, url } = await start();
    engine.respond(aborted(['t1 ', 't2 ']));
    const stream = await openaiOf({ url }).chat.completions.create({ model, messages, stream: true });
    const reasons: unknown[] = [];
    for await (const { choices } of stream) reasons.push(choices[0]?.finish_reason);
    expect(reasons.at(-1)).toBe('abort');
    await expect.poll(() => log.filter(({ outcome }) => outcome === 'backend_error')).toHaveLength(1);
  });
});

describe('a plain answer', () => {
  it.each<[string, Behaviour]>([
    ['cut', { kind: 'answer', cut: { after: 40, of: 'bytes', how: 'fin' } }],
    ['cut by a reset', { kind: 'answer', cut: { after: 40, of: 'bytes', how: 'reset' } }],
    ['cut without a length', { kind: 'answer', transfer: 'close', cut: { after: 40, of: 'bytes', how: 'end' } }],
  ])('that is %s is an error with a status', async (_name, behaviour) => {
    const { engine, url } = await start();
    engine.respond(behaviour);
    const failure = await failureOf(openaiOf({ url }).chat.completions.create({ model, messages }));
    expect(failure).toMatchObject({ status: 502, type: 'backend_broken' });
  });

  it('that is too long to be held and breaks off is an error all the same', async () => {
    const { engine, url } = await start();
    const cut = { after: 2_000_000, of: 'bytes', how: 'fin' } as const;
    engine.respond({ kind: 'answer', pieces: ['y'.repeat(3_000_000)], cut });
    const failure = await failureOf(openaiOf({ url }).chat.completions.create({ model, messages }));
    expect(failure).toBeInstanceOf(Error);
  });
});
