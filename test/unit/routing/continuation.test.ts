import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { endpoints } from '../../../src/endpoints/index.ts';
import { engines } from '../../../src/engines/index.ts';
import { GatewayError } from '../../../src/errors.ts';
import { Continuation } from '../../../src/routing/continuation.ts';
import type { InferenceRequest } from '../../../src/routing/exchange.ts';
import { resumable, resumingSplices } from '../../../src/routing/resume-request.ts';
import { isObject } from '../../../src/wire/json-value.ts';
import { splice } from '../../../src/wire/splice.ts';

const broke = new GatewayError('backend_broken', 'gone');

function requestOf(name: 'chat-completions' | 'completions', body: string): InferenceRequest {
  const bytes = Buffer.from(body);
  return { ...endpoints[name].read(bytes), endpoint: name, body: bytes, headers: [] };
}

const chat = (extra: object = {}) =>
  requestOf(
    'chat-completions',
    JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'x' }], stream: true, ...extra }),
  );

const contentOf = (text: string) => JSON.stringify({ id: 'a', choices: [{ index: 0, delta: { content: text } }] });

/** Members that the router neither reads nor refuses to go on with. */
const others = fc.dictionary(
  fc.string({ maxLength: 8 }).map((key) => `x_${key}`),
  fc.jsonValue({ maxDepth: 3 }),
  { maxKeys: 5 },
);
/** Made here, because that takes seconds on a machine that is busy. */
const anyText = fc.string({ unit: 'binary' });
const written = fc.constantFrom(undefined, 1, '\t');

describe('the request for the rest', () => {
  it('is the one for the whole, with what was said behind its messages', () => {
    fc.assert(
      fc.property(others, fc.array(fc.string()), fc.string({ minLength: 1 }), written, (more, texts, said, indent) => {
        const messages = [...texts, 'last'].map((content) => ({ role: 'user', content }));
        const body = { ...more, model: 'm', max_tokens: 20, messages, stream: true };
        const request = requestOf('chat-completions', JSON.stringify(body, null, indent));
        const splices = resumingSplices(request, engines.vllm, { text: said, tokensLeft: 7 });
        expect(JSON.parse(splice(request.body, splices).toString())).toEqual({
          ...JSON.parse(JSON.stringify(body)),
          max_tokens: 7,
          messages: [...messages, { role: 'assistant', content: said }],
          continue_final_message: true,
          add_generation_prompt: false,
        });
      }),
    );
  });

  it('is the one for the whole, with what was said at the end of its prompt', () => {
    fc.assert(
      fc.property(others, anyText, anyText, written, (more, prompt, said, indent) => {
        const body = { ...more, prompt, model: 'm', stream: true };
        const request = requestOf('completions', JSON.stringify(body, null, indent));
        const splices = resumingSplices(request, engines.tgi, { text: said, tokensLeft: undefined });
        const found: unknown = JSON.parse(splice(request.body, splices).toString());
        expect(found).toEqual({ ...JSON.parse(JSON.stringify(body)), prompt: prompt + said });
      }),
    );
  });

  it('asks for the rest also where the caller has said that it wants the whole', () => {
    const request = chat({ continue_final_message: false, add_generation_prompt: null });
    const splices = resumingSplices(request, engines.vllm, { text: 'a', tokensLeft: undefined });
    expect(JSON.parse(splice(request.body, splices).toString())).toMatchObject({
      continue_final_message: true,
      add_generation_prompt: false,
    });
  });

  it('is none where the joined answer would be another one', () => {
    expect(resumable(chat())).toBe(true);
    expect(resumable(chat({ logprobs: false, tools: [], n: 1, response_format: { type: 'text' } }))).toBe(true);
    for (const extra of [{ logprobs: true }, { grammar: 'x' }, { echo: true }, { messages: [] }, { messages: 'x' }])
      expect(resumable(chat(extra))).toBe(false);
    expect(resumable(requestOf('completions', '{"model":"m","prompt":["a","b"]}'))).toBe(false);
    expect(resumable(requestOf('completions', '{"model":"m","prompt":[1,2]}'))).toBe(false);
  });
});

describe('a joined stream', () => {
  it('reads as if it had come from one backend, wherever it broke and however blanks fall', () => {
    const word = fc.stringMatching(/^[a-z]{1,5}$/);
    const blank = fc.constantFrom(' ', '\n', '  ', ' \n');
    fc.assert(
      fc.property(
        fc.array(fc.tuple(word, blank), { minLength: 2 }),
        fc.nat(),
        fc.integer({ min: 1, max: 6 }),
        (words, place, size) => {
          const whole = words
            .map(([text, after]) => text + after)
            .join('')
            .trimEnd();
          const at = 1 + (place % (whole.length - 1));
          const continuation = new Continuation(chat());
          continuation.note(contentOf(whole.slice(0, at)));
          continuation.break(broke);
          // A template trims what it is given, so the model begins with the blank that follows it.
          let rest = whole.slice(continuation.prompt.length);
          let joined = whole.slice(0, at);
          continuation.resume();
          while (rest !== '') {
            const stitched = continuation.stitch(contentOf(rest.slice(0, size)));
            rest = rest.slice(size);
            const event: unknown = JSON.parse(stitched ?? '{"choices":[{"delta":{"content":""}}]}');
            const [choice] = isObject(event) && Array.isArray(event['choices']) ? event['choices'] : [];
            joined += choice.delta.content;
          }
          expect(joined).toBe(whole);
        },
      ),
    );
  });

  it('is tried three times and no more', () => {
    const continuation = new Continuation(chat());
    continuation.note(contentOf('a'));
    for (let n = 0; n < 3; n++) {
      expect(continuation.maySurvive(broke)).toBe(true);
      continuation.break(broke);
    }
    expect(continuation.maySurvive(broke)).toBe(false);
  });

  it.each([
    ['client_closed', false],
    ['draining', false],
    ['total_timeout', false],
    ['backend_rejected', false],
    ['internal', false],
    ['backend_broken', true],
    ['gap_timeout', true],
    ['backend_busy', true],
    ['backend_unreachable', true],
  ] as const)('is not tried after everything: %s %s', (code, expected) => {
    const continuation = new Continuation(chat());
    continuation.note(contentOf('a'));
    expect(continuation.maySurvive(new GatewayError(code, 'x'))).toBe(expected);
  });

  it('is complete without anybody behind its finish reason alone', () => {
    const ending = (reason: unknown) => {
      const continuation = new Continuation(chat());
      const delta = { content: 'a' };
      continuation.note(JSON.stringify({ id: 'a', choices: [{ index: 0, delta, finish_reason: reason }] }));
      return continuation.rest();
    };
    expect(ending('stop')).toBe('data: [DONE]\n\n');
    // Some servers say in every event that there is none yet.
    expect(ending('')).toBeUndefined();
    expect(ending(null)).toBeUndefined();
  });

  it('is not complete when one of several answers is', () => {
    for (const request of [chat({ n: 2 }), requestOf('completions', '{"model":"m","prompt":["a","b"]}')]) {
      const continuation = new Continuation(request);
      continuation.note('{"id":"a","choices":[{"index":0,"text":"a","finish_reason":"stop"}]}');
      expect(continuation.rest()).toBeUndefined();
    }
  });

  it('does not grow beyond what is worth keeping', () => {
    const continuation = new Continuation(chat());
    for (let n = 0; n < 20; n++) continuation.note(contentOf('x'.repeat(100_000)));
    expect(continuation.maySurvive(broke)).toBe(false);
    expect(continuation.text).toBe('');
  });
});
