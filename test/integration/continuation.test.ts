// Streams that break after their first content, and go on from another backend as one.
import { describe, expect, it, vi } from 'vitest';
import type { Backend } from '../../src/fleet/fleet.ts';
import { timeouts } from '../support/a-fleet.ts';
import { type RouterWishes, type RunningRouter, routerPerTest } from '../support/running-router.ts';
import type { ScriptedEngine } from '../support/scripted-engine.ts';
import {
  aborted,
  answer,
  type Behaviour,
  cutAfterBytes,
  diesAfter,
  errorAfter,
  fault,
  raw,
  stallsAfter,
} from '../support/scripted/behaviours.ts';
import type { EngineKind } from '../support/scripted/dialect.ts';
import type { JournalEntry } from '../support/scripted/journal.ts';

const { start } = routerPerTest();
const quick: Partial<Backend> = { timeouts: { ...timeouts, gapMs: 200, firstByteMs: 500 } };
const total = 10;

function fleet(imitates: EngineKind = 'vllm', boxes = 2, more: RouterWishes = {}): RouterWishes {
  return {
    engines: Array.from({ length: boxes }, () => ({ imitates, backend: quick })),
    models: { 'test-model': { continuation: true } },
    ...more,
  };
}

/** Says the rest of `t1 t2 … t10`, whatever of it stands in the request already; templates trim what they are given. */
function goesOn(entry: JournalEntry): Behaviour {
  const { messages, prompt } = entry.json;
  const said = JSON.stringify(prompt ?? (Array.isArray(messages) ? messages.at(-1) : ''));
  const count = said.match(/t\d+/g)?.length ?? 0;
  const pieces = Array.from({ length: total - count }, (_, n) => `${count + n === 0 ? '' : ' '}t${count + n + 1}`);
  return answer({ pieces });
}

/** The first who is asked does `first`, the second `second`, and whoever comes then goes on to the end. */
function play(router: RunningRouter, ...parts: readonly Behaviour[]): ScriptedEngine[] {
  const order: ScriptedEngine[] = [];
  for (const engine of router.engines) {
    engine.respond((entry) => {
      order.push(engine);
      return parts[order.length - 1] ?? goesOn(entry);
    });
  }
  return order;
}

const whole = Array.from({ length: total }, (_, n) => `t${n + 1}`).join(' ');
const begins = (count: number) => Array.from({ length: count }, (_, n) => `${n === 0 ? '' : ' '}t${n + 1}`);
const dies = (count: number, how: 'fin' | 'reset' = 'reset') => diesAfter(count + 1, how, { pieces: begins(count) });

/** Ends with its connection. */
const streamOf = (events: readonly object[]) =>
  raw([
    'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n',
    ...events.map((event) => `data: ${JSON.stringify(event)}\n\n`),
  ]);
const chunk = (id: string, delta: object) => ({ id, choices: [{ index: 0, delta, finish_reason: null }] });

interface Chunk {
  readonly id: string;
  readonly choices: readonly {
    readonly delta?: { readonly role?: string; readonly content?: string };
    readonly text?: string;
    readonly finish_reason: string | null;
  }[];
  readonly usage?: unknown;
  readonly error?: { readonly type: string };
}

async function read(response: Response) {
  let text = '';
  let isWhole = true;
  const decoder = new TextDecoder();
  try {
    for await (const piece of response.body ?? []) text += decoder.decode(piece, { stream: true });
  } catch {
    isWhole = false;
  }
  const data = text.split('\n\n').flatMap((event) => (event.startsWith('data: ') ? event.slice(6) : []));
  const chunks = data.filter((one) => one !== '[DONE]').map((one): Chunk => JSON.parse(one));
  const choices = chunks.flatMap((chunk) => chunk.choices ?? []);
  return {
    text,
    isWhole,
    done: data.filter((one) => one === '[DONE]').length,
    joined: choices.map(({ delta, text: plain }) => delta?.content ?? plain ?? '').join(''),
    roles: choices.filter(({ delta }) => delta?.role !== undefined).length,
    ids: new Set(chunks.flatMap(({ id }) => id ?? [])).size,
    reasons: choices.flatMap(({ finish_reason: reason }) => reason ?? []),
    usages: chunks.flatMap(({ usage }) => usage ?? []),
    errors: chunks.flatMap(({ error }) => error?.type ?? []),
  };
}

const unbroken = { isWhole: true, done: 1, joined: whole, ids: 1, reasons: ['stop'], errors: [] };

describe.each(['vllm', 'sglang', 'llamacpp'] as const)('a chat stream of %s whose backend dies', (imitates) => {
  it('goes on from another one as if nothing had happened', async () => {
    const router = await start(fleet(imitates));
    const order = play(router, dies(4));
    const found = await read(await router.chat({ stream: true, max_tokens: 50 }));
    expect(found).toMatchObject({ ...unbroken, roles: 1 });
    expect(order[1]?.posts[0]?.json).toMatchObject({
      max_tokens: 46,
      messages: [
        { role: 'user', content: 'hi' },
        { role: 'assistant', content: 't1 t2 t3 t4' },
      ],
      ...(imitates === 'llamacpp' ? {} : { continue_final_message: true, add_generation_prompt: false }),
    });
    expect(found.text.trimEnd().split('\n').at(-1)).toMatch(/^: switchyard backend=b[01] attempts=2 .*continued=1/);
    expect(router.log.at(-1)).toMatchObject({ outcome: 'ok', attempts: 2, continued: 1 });
    const labels = { model: 'test-model', result: 'completed' };
    expect(await router.metric('switchyard_continuations_total', labels)).toBe(1);
  });
});

describe('a stream that breaks', () => {
  it.each(['vllm', 'sglang', 'llamacpp', 'tgi'] as const)(
    'as a completion of %s has its prompt extended',
    async (imitates) => {
      const router = await start(fleet(imitates));
      const order = play(router, diesAfter(4, 'reset', { pieces: begins(5) }));
      const body = { model: 'test-model', prompt: 'Say "it": ', stream: true };
      const found = await read(await router.post('/v1/completions', body));
      expect(found).toMatchObject(unbroken);
      expect(order[1]?.posts[0]?.json['prompt']).toBe('Say "it": t1 t2 t3 t4');
    },
  );

  it('has one usage, that of the whole answer', async () => {
    const router = await start(fleet());
    play(router, dies(4), answer({ pieces: [' t5', ' t6'], promptTokens: 24 }));
    const found = await read(await router.chat({ stream: true, stream_options: { include_usage: true } }));
    expect(found.usages).toMatchObject([{ prompt_tokens: 20, completion_tokens: 6, total_tokens: 26 }]);
    const labels = { model: 'test-model', type: 'output' };
    expect(await router.metric('switchyard_tokens_total', labels)).toBe(6);
  });

  it.each([
    ['tells an error of its engine', errorAfter(5, 'internal', { pieces: begins(4) })],
    ['is ended by a shutdown of its engine', aborted(begins(4))],
    ['falls silent', stallsAfter(5, { pieces: begins(5) })],
    ['ends without its end', diesAfter(5, 'end', { pieces: begins(5) })],
  ])('goes on also when it %s', async (_how, behaviour) => {
    const router = await start(fleet());
    play(router, behaviour);
    expect(await read(await router.chat({ stream: true }))).toMatchObject(unbroken);
  });

  it('goes on more than once', async () => {
    const router = await start(fleet('vllm', 3));
    play(router, dies(3), diesAfter(3, 'reset', { pieces: [' t4', ' t5', ' t6'] }));
    const found = await read(await router.chat({ stream: true }));
    expect(found).toMatchObject({ ...unbroken, roles: 1 });
    expect(router.log.at(-1)).toMatchObject({ outcome: 'ok', attempts: 3, continued: 2 });
  });

  it('bears the stamp of what the caller has, not of a try before it', async () => {
    const router = await start(fleet('vllm', 3));
    play(router, streamOf([chunk('lost', { role: 'assistant' })]), streamOf([chunk('x', { content: 't1 t2' })]));
    const found = await read(await router.chat({ stream: true }));
    expect(found).toMatchObject(unbroken);
    expect(router.log.at(-1)).toMatchObject({ outcome: 'ok', attempts: 3, continued: 1 });
  });

  it('begins anew where nothing but blanks had come', async () => {
    const router = await start(fleet());
    const order = play(router, diesAfter(2, 'reset', { pieces: ['\n\n', 'lost'] }), answer({ pieces: ['\n\n', 'so'] }));
    expect((await read(await router.chat({ stream: true }))).joined).toBe('\n\nso');
    expect(order[1]?.posts[0]?.json['messages']).toHaveLength(1);
    expect(order[1]?.posts[0]?.json).not.toHaveProperty('continue_final_message');
  });

  it('does not say a blank twice that stands at the end of what was said', async () => {
    const router = await start(fleet());
    play(router, diesAfter(3, 'reset', { pieces: ['t1 ', 't2 ', 't3 '] }), answer({ pieces: [' t3', ' t4'] }));
    expect((await read(await router.chat({ stream: true }))).joined).toBe('t1 t2 t3 t4');
  });

  it('behind its finish reason is complete without anybody', async () => {
    const router = await start(fleet());
    const order = play(router, diesAfter(6, 'reset', { pieces: begins(4) }));
    const found = await read(await router.chat({ stream: true }));
    expect(found).toMatchObject({ isWhole: true, done: 1, joined: 't1 t2 t3 t4', reasons: ['stop'] });
    expect(order).toHaveLength(1);
    expect(router.log.at(-1)).toMatchObject({ outcome: 'ok' });
  });

  it('with its last token is complete, because of its length', async () => {
    const router = await start(fleet());
    play(router, dies(4));
    const found = await read(await router.chat({ stream: true, max_tokens: 4 }));
    expect(found).toMatchObject({ isWhole: true, done: 1, joined: 't1 t2 t3 t4', reasons: ['length'] });
  });
});

describe('a stream that cannot go on', () => {
  const broken = { isWhole: false, done: 0, joined: 't1 t2 t3 t4', errors: ['backend_broken'] };

  it.each([
    ['tools', { tools: [{ type: 'function', function: { name: 'f' } }] }],
    ['logprobs', { logprobs: true }],
    ['several answers', { n: 2 }],
    ['a schema', { response_format: { type: 'json_schema', json_schema: { name: 's', schema: {} } } }],
    ['a JSON object', { response_format: { type: 'json_object' } }],
    ['a grammar', { guided_regex: 'a+' }],
    [
      'an answer begun by the caller',
      {
        messages: [
          { role: 'user', content: 'x' },
          { role: 'assistant', content: 'y' },
        ],
      },
    ],
  ])('because of %s says so', async (_what, extra) => {
    const router = await start(fleet());
    const order = play(router, dies(4));
    expect(await read(await router.chat({ stream: true, ...extra }))).toMatchObject(broken);
    expect(order).toHaveLength(1);
  });

  it('because reasoning was sent says so', async () => {
    const router = await start(fleet());
    const chunk = (delta: object) => `data: ${JSON.stringify({ id: 'x', choices: [{ index: 0, delta }] })}\n\n`;
    const text = chunk({ reasoning_content: 'hm' }) + chunk({ content: 'so' });
    const order = play(router, {
      kind: 'raw',
      parts: [`HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n${text}`],
      ending: 'reset',
    });
    expect(await read(await router.chat({ stream: true }))).toMatchObject({ isWhole: false, joined: 'so' });
    expect(order).toHaveLength(1);
  });

  it('because nobody is left tells what broke it', async () => {
    const router = await start(fleet('vllm', 1));
    play(router, dies(4));
    expect(await read(await router.chat({ stream: true }))).toMatchObject(broken);
    const labels = { model: 'test-model', result: 'failed' };
    expect(await router.metric('switchyard_continuations_total', labels)).toBe(1);
  });

  it('because the other one refuses tells what broke it', async () => {
    const router = await start(fleet());
    play(router, dies(4), fault('invalid'));
    expect(await read(await router.chat({ stream: true }))).toMatchObject(broken);
    expect(router.log.at(-1)).toMatchObject({ outcome: 'backend_broken', attempts: 2, continued: 0 });
  });

  it('because its later part breaks off with an error gets that as it was sent', async () => {
    const router = await start(fleet());
    const error = { object: 'error', message: 'no more', type: 'InternalServerError', code: 500 };
    play(router, dies(4), streamOf([chunk('x', { reasoning_content: 'hm' }), error]));
    expect((await read(await router.chat({ stream: true }))).text).toContain(`data: ${JSON.stringify(error)}\n\n`);
  });

  it('because its answer came in one piece is cut', async () => {
    const router = await start(fleet());
    const order = play(router, cutAfterBytes(1_200_000, 'fin', { pieces: ['x'.repeat(2_000_000)], shape: 'plain' }));
    const response = await router.chat({ stream: true });
    await expect(response.text()).rejects.toThrow('terminated');
    expect(order).toHaveLength(1);
    expect(router.log.at(-1)).toMatchObject({ outcome: 'backend_broken' });
  });

  it('because its engine knows no way says so', async () => {
    const router = await start(fleet('ollama'));
    const order = play(router, diesAfter(4, 'reset', { pieces: begins(4) }));
    expect(await read(await router.chat({ stream: true }))).toMatchObject({ isWhole: false, done: 0 });
    expect(order).toHaveLength(1);
  });

  it('because nobody asked for it says so', async () => {
    const router = await start({ ...fleet(), models: {} });
    play(router, dies(4));
    expect(await read(await router.chat({ stream: true }))).toMatchObject(broken);
  });
});

describe('a caller that hangs up while its stream is mended', () => {
  it('frees everything', async () => {
    const router = await start(fleet('vllm', 2, { queue: { maxLength: 5, maxWaitMs: 20_000 } }));
    play(router, dies(4), { kind: 'hang', after: 'head' });
    const gone = new AbortController();
    const response = await router.chat({ stream: true }, { signal: gone.signal });
    await vi.waitFor(() => expect(router.engines.filter(({ inFlight }) => inFlight === 1)).toHaveLength(1));
    await vi.waitFor(() => expect(router.engines.flatMap(({ posts }) => posts)).toHaveLength(2));
    gone.abort();
    await response.text().catch(() => '');
    await vi.waitFor(() => expect(router.log.at(-1)).toMatchObject({ outcome: 'client_closed' }));
  });
});
