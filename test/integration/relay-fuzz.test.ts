// Whole streams through a real router and real sockets, cut anywhere: the bytes that arrive are those that were sent, less
// what the router is to change.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { routerPerTest } from '../support/running-router.ts';
import { answer, type AnswerOptions, type Framing } from '../support/scripted/behaviours.ts';

const { start } = routerPerTest();

const lineEnds = ['\n', '\r\n', '\r'] as const;
const places = fc.oneof(
  { weight: 3, arbitrary: fc.uniqueArray(fc.integer({ min: 1, max: 1_200 }), { maxLength: 12 }) },
  { weight: 1, arbitrary: fc.constant(1) },
);

interface Shape extends Framing {
  readonly commentBetween: boolean;
  readonly split: number | readonly number[];
}

const shape = fc.record<Shape>({
  lineEnd: fc.constantFrom(...lineEnds),
  byteOrderMark: fc.boolean(),
  commentBetween: fc.boolean(),
  split: places.map((cuts) => (typeof cuts === 'number' ? cuts : cuts.toSorted((a, b) => a - b))),
});
const pieces = ['naïve ', '"usage" ', '🦊 [DONE] ', '{"model":"x"} '];
const body = { messages: [], stream: true };
// The engine's ids are made of it, so that two answers are the same.
const init = { headers: { 'x-request-id': 'same' } };

function told({ commentBetween, split, ...framing }: Shape): AnswerOptions {
  return { pieces, commentBetween, framing: { ...framing, split } };
}

describe('a stream of any shape', () => {
  it('arrives byte for byte', async () => {
    const { post, engine } = await start();
    await fc.assert(
      fc.asyncProperty(shape, async (wished) => {
        engine.respond(answer(told(wished)));
        const asked = { ...body, model: 'test-model' };
        const [direct, through] = [await directly(engine.url, asked), await post('/v1/chat/completions', asked, init)];
        expect(Buffer.from(await through.arrayBuffer()).toString()).toBe(direct);
      }),
      { numRuns: 60 },
    );
  });

  it('arrives with the name that was asked for and without the usage that was not', async () => {
    const { post, engine, metric } = await start({
      engines: [{ imitates: 'vllm', backend: { usage: 'force' } }],
      models: { 'test-model': { aliases: ['nice'] } },
    });
    let streams = 0;
    await fc.assert(
      fc.asyncProperty(shape, async (wished) => {
        engine.respond(answer(told(wished)));
        const direct = await directly(engine.url, {
          ...body,
          model: 'test-model',
          stream_options: { include_usage: true },
        });
        const through = await post('/v1/chat/completions', { ...body, model: 'nice' }, init);
        const expected = linesOf(direct).filter((line) => !line.includes('"usage":{'));
        expect(linesOf(Buffer.from(await through.arrayBuffer()).toString())).toEqual(
          expected.map((line) => line.replace('"model":"test-model"', '"model":"nice"')),
        );
        streams++;
        expect(await metric('switchyard_tokens_total', { type: 'output' })).toBe(streams * pieces.length);
      }),
      { numRuns: 60 },
    );
  });
});

async function directly(url: string, asked: object): Promise<string> {
  const headers = { ...init.headers, 'content-type': 'application/json' };
  const reply = await fetch(`${url}/v1/chat/completions`, { method: 'POST', headers, body: JSON.stringify(asked) });
  return Buffer.from(await reply.arrayBuffer()).toString();
}

/** An event that is left out may leave half of its last line end behind. */
function linesOf(text: string): readonly string[] {
  return text.split(/\r\n|\n|\r/).filter((line) => line !== '');
}
