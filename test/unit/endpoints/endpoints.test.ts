import { describe, expect, it } from 'vitest';
import { endpoints } from '../../../src/endpoints/index.ts';
import { GatewayError } from '../../../src/errors.ts';

const chat = (body: unknown) =>
  endpoints['chat-completions'].read(Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)));
const messages = [{ role: 'user', content: 'hi' }];

function refusal(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof GatewayError && error.code === 'invalid_request') return error.message;
    throw error;
  }
  throw new Error('was accepted');
}

describe('reading a chat request', () => {
  it('counts text as it is, whatever it begins with and however long the body is', () => {
    const mark = '\ufdd0';
    for (const long of ['', 'x'.repeat(100_000)]) {
      const around = { role: 'user', content: long };
      for (const content of [`${mark}999999`, mark, `${mark}x`]) {
        const { textBytes } = chat({ model: 'm', messages: [around, { role: 'user', content }] });
        expect(textBytes).toBe(long.length + Buffer.byteLength(content));
      }
    }
  });

  it('finds the model, whether it streams, and where splices go', () => {
    const fields = chat('{"model":"m","stream":true,"stream_options":{"include_usage":true},"messages":[]}');
    expect(fields).toMatchObject({ model: 'm', stream: true, includeUsage: true, needs: ['chat-completions'] });
    expect(fields.spans).toEqual({
      start: 1,
      model: { start: 9, end: 12 },
      streamOptions: { start: 44, end: 66 },
      prompt: { start: 78, end: 80 },
    });
  });

  it.each([
    [{ tools: [{ type: 'function' }] }, 'tools'],
    [{ functions: [{ name: 'f' }] }, 'tools'],
    [{ response_format: { type: 'json_schema' } }, 'json_schema'],
    [{ messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'data:' } }] }] }, 'vision'],
    [{ messages: [{ role: 'user', content: [{ type: 'input_audio' }] }] }, 'audio'],
  ])('sees from %j that it needs %s', (extra, need) => {
    expect(chat({ model: 'm', messages, ...extra }).needs).toEqual(['chat-completions', need]);
  });

  it('needs no tools for an empty list, or when tool_choice is none', () => {
    expect(chat({ model: 'm', messages, tools: [] }).needs).toEqual(['chat-completions']);
    expect(chat({ model: 'm', messages, tools: [{}], tool_choice: 'none' }).needs).toEqual(['chat-completions']);
  });

  it('counts text as text, and an image as a part, however large its base64 is', () => {
    const image = { type: 'image_url', image_url: { url: `data:image/png;base64,${'A'.repeat(10_000)}` } };
    const fields = chat({ model: 'm', messages: [{ role: 'user', content: [{ type: 'text', text: 'four' }, image] }] });
    expect(fields).toMatchObject({ textBytes: 4, parts: 1 });
  });

  it('counts for the allowance what else becomes input: tool calls, reasoning, names, a schema', () => {
    const call = { id: 'c', type: 'function', function: { name: 'f', arguments: 'x'.repeat(4_000) } };
    const said = [{ role: 'assistant', content: 'four', reasoning_content: 'y'.repeat(2_000), tool_calls: [call] }];
    const fields = chat({ model: 'm', messages: said });
    expect(fields.textBytes).toBe(4);
    expect(fields.totalTextBytes).toBeGreaterThan(6_000);
    expect(fields.totalTextBytes).toBeLessThan(6_100);
    const schema = { type: 'json_schema', json_schema: { description: 'z'.repeat(1_000) } };
    expect(chat({ model: 'm', messages: [], response_format: schema }).totalTextBytes).toBe(1_011);
  });

  it('counts the answers that are asked for', () => {
    const answers = (extra: object) => chat({ model: 'm', messages, ...extra }).answers;
    expect([answers({}), answers({ n: 128 }), answers({ n: 2, best_of: 20 }), answers({ n: 'x' })]).toEqual([
      1, 128, 20, 1,
    ]);
    expect(answers({ n: 1e300 })).toBe(10_000);
  });

  it('takes the larger bound where engines differ in which they obey', () => {
    expect(chat({ model: 'm', messages, max_tokens: 9, max_completion_tokens: 1 }).maxTokens).toBe(9);
  });

  it('takes the bound on the answer from either name', () => {
    expect(chat({ model: 'm', messages, max_tokens: 5 }).maxTokens).toBe(5);
    expect(chat({ model: 'm', messages, max_tokens: 5, max_completion_tokens: 7 }).maxTokens).toBe(7);
    expect(chat({ model: 'm', messages }).maxTokens).toBeUndefined();
  });

  it('takes a byte order mark, lone surrogates and NUL as they come', () => {
    expect(chat('\uFEFF{"model":"m","messages":[{"role":"user","content":"\\ud800 \\u0000"}]}').model).toBe('m');
  });

  it('treats names from the prototype as names', () => {
    expect(chat('{"model":"__proto__","__proto__":{"x":1},"constructor":1,"messages":[]}').model).toBe('__proto__');
  });
});

describe('refusing a body', () => {
  it.each([
    ['', /empty/],
    ['   ', /empty/],
    ['null', /must be a JSON object/],
    ['[]', /must be a JSON object/],
    ['42', /must be a JSON object/],
    ['[[[[', /must be a JSON object/],
    ['{"model":"m",}', /line 1, column 14/],
    ['{"model":"m"', /line 1, column 13/],
    ['{"model":"m"} trailing', /line 1, column 15/],
    ['{"messages":[]}', /no "model"/],
    ['{"model":""}', /non-empty string/],
    ['{"model":7}', /non-empty string/],
    ['{"model":null}', /non-empty string/],
    ['{"model":"m","stream":"yes"}', /"stream" must be/],
    ['{"model":"a","model":"b"}', /more than one member "model"/],
    ['{"model":"a","mod\\u0065l":"b"}', /more than one member "model"/],
    ['{"model":"a","stream":true,"stream":false}', /more than one member "stream"/],
    [`{"model":"m","x":${'['.repeat(100_000)}`, /64 levels/],
  ])('that is %.30s says why', (body, message) => {
    expect(refusal(() => chat(body))).toMatch(message);
  });

  it('that is not UTF-8', () => {
    const body = Buffer.concat([Buffer.from('{"model":"'), Buffer.from([0xff, 0xfe]), Buffer.from('"}')]);
    expect(refusal(() => endpoints.completions.read(body))).toMatch(/UTF-8/);
  });

  it('survives lists nested without end', () => {
    expect(refusal(() => chat('['.repeat(200_000)))).toMatch(/must be a JSON object/);
  });

  it('never quotes the prompt', () => {
    expect(refusal(() => chat('{"model":"m","messages":[{"content":"my secret" oops}]}'))).not.toContain('secret');
  });
});

describe('reading the other endpoints', () => {
  it('takes the longest of several prompts, because each is one of its own', () => {
    const read = (prompt: unknown) =>
      endpoints.completions.read(Buffer.from(JSON.stringify({ model: 'm', prompt }))).textBytes;
    expect([read('four'), read(['a', 'four']), read([1, 2, 3]), read([[1], [1, 2]])]).toEqual([4, 4, 12, 8]);
  });

  it('counts all of several prompts for the allowance, and an answer for each', () => {
    const read = (prompt: unknown, n?: number) => {
      const fields = endpoints.completions.read(Buffer.from(JSON.stringify({ model: 'm', prompt, n })));
      return [fields.totalTextBytes, fields.answers];
    };
    expect([read('four', 3), read(['a', 'four']), read([1, 2, 3]), read([[1], [1, 2]], 2)]).toEqual([
      [4, 3],
      [5, 2],
      [12, 1],
      [12, 4],
    ]);
  });

  it('asks for embeddings where embeddings are asked for', () => {
    const fields = endpoints.embeddings.read(Buffer.from('{"model":"e","input":["a","bcd"]}'));
    expect(fields).toMatchObject({ needs: ['embeddings'], textBytes: 3, stream: false });
  });
});

describe('what tells one conversation from another', () => {
  it('is where its prompt and its tools stand, its name, its salt, and how much of it was said before', () => {
    const body = JSON.stringify({
      model: 'm',
      tools: [1],
      cache_salt: 's',
      prompt_cache_key: 'k',
      messages: [
        { role: 'user', content: '12345' },
        { role: 'assistant', content: '678' },
        { role: 'user', content: 'abc' },
      ],
    });
    const fields = chat(body);
    const at = (span = { start: 0, end: 0 }) => body.slice(span.start, span.end);
    expect(at(fields.spans.tools)).toBe('[1]');
    expect(at(fields.spans.prompt)).toMatch(/^\[\{"role":"user".*\}\]$/);
    // The tools are text as well.
    expect(fields).toMatchObject({ cacheSalt: 's', session: 'k', knownTextBytes: 11, textBytes: 14 });
  });

  it('is nothing where nothing says so', () => {
    const fields = chat('{"model":"m","messages":[{"role":"user","content":"x"}],"metadata":{"session_id":7}}');
    expect(fields).not.toHaveProperty('session');
    expect(fields).toMatchObject({ knownTextBytes: 0 });
  });
});
