// Pins the test double itself: every disturbance really happens on the wire.
import { expect, test } from 'vitest';
import {
  aborted,
  answer,
  cutAfterBytes,
  diesAfter,
  drip,
  emptyReply,
  endless,
  errorEvent,
  garbageStatusLine,
  hang,
  hangUp,
  hugeHeader,
  lengthAndChunked,
  raw,
  redirect,
  split,
  stallsAfter,
  wrongLength,
  type Behaviour,
} from '../support/scripted/behaviours.ts';
import { chat, events, overSocket } from '../support/scripted/client.ts';
import { enginesOfTest } from '../support/scripted/engines-of-test.ts';
import type { ScriptedEngine } from '../support/scripted-engine.ts';

const start = enginesOfTest();

async function broken(engine: ScriptedEngine, behaviour: Behaviour): Promise<{ text: string; end: string }> {
  engine.respond(behaviour);
  return overSocket(engine);
}

function strip(texts: readonly string[]): string {
  return texts.join('\n').replaceAll(/chatcmpl-\d+/g, 'id');
}

test('a stream dies by FIN, by reset, or ends cleanly without [DONE]', async () => {
  const engine = await start({ imitates: 'vllm' });
  const fin = await broken(engine, diesAfter(2));
  expect(fin.end).toBe('fin');
  expect(fin.text.match(/data: /g)).toHaveLength(2);
  expect(fin.text.endsWith('0\r\n\r\n')).toBe(false);
  const reset = await broken(engine, diesAfter(2, 'reset'));
  expect(reset.end).toBe('reset');
  engine.respond(diesAfter(2, 'end'));
  expect(await events(engine)).toHaveLength(2);
  expect(engine.posts.map(({ ending }) => ending)).toEqual(['cut', 'cut', 'completed']);
});

test('a stall keeps the connection open and notes who hung up', async () => {
  const engine = await start({ imitates: 'sglang' });
  engine.respond(stallsAfter(2));
  const { text, end } = await overSocket(engine, 't1 ');
  expect([end, text.includes('[DONE]')]).toEqual(['open', false]);
  await engine.when(({ abortsSeen }) => abortsSeen === 1);
  expect(engine.posts[0]?.endedAt).toBeGreaterThan(engine.posts[0]?.startedAt ?? Infinity);
});

test('it hangs before the head, and hangs up before any byte', async () => {
  const engine = await start({ imitates: 'vllm' });
  engine.respond([hang(), hangUp('fin'), hangUp('reset'), hangUp('fin', 'head')]);
  const gone = new AbortController();
  const silent = chat(engine, {}, { signal: gone.signal });
  await engine.when(({ posts }) => posts[0]?.received === true);
  gone.abort();
  await expect(silent).rejects.toThrow('aborted');
  expect(await overSocket(engine)).toEqual({ text: '', end: 'fin' });
  expect(await overSocket(engine)).toEqual({ text: '', end: 'reset' });
  expect((await overSocket(engine)).text).toMatch(/^HTTP\/1\.1 200 OK[^]*\r\n\r\n$/);
});

test('bytes leave as told: split, dripped, with other line ends, a mark and comments', async () => {
  const engine = await start({ imitates: 'vllm' });
  const whole = await events(engine);
  engine.respond([
    split(7),
    drip(0),
    split([1, 50], { commentBetween: true }),
    answer({ framing: { lineEnd: '\r\n', byteOrderMark: true } }),
  ]);
  expect(strip(await events(engine))).toBe(strip(whole));
  const { text } = await overSocket(engine, '[\r\n1\r\nD');
  expect(text).toContain('1\r\nd\r\n1\r\na\r\n1\r\nt\r\n1\r\na\r\n');
  expect(strip(await events(engine))).toBe(strip(whole));
  const marked = Buffer.from(await (await chat(engine, { stream: true })).arrayBuffer());
  expect(marked.subarray(0, 9).toString('hex')).toBe(Buffer.from('\uFEFFdata: ').toString('hex'));
  expect(marked.toString()).toContain('\r\n\r\n');
});

test('heads can be huge, garbage, contradictory, redirecting or preceded by an interim one', async () => {
  const engine = await start({ imitates: 'vllm' });
  expect((await broken(engine, garbageStatusLine())).text).toBe('HTPP/9.9 banana\r\n\r\n');
  expect((await broken(engine, lengthAndChunked())).text).toMatch(/Content-Length: 11\r\nTransfer-Encoding: chunked/);
  expect((await broken(engine, wrongLength(5))).text).toMatch(/Content-Length: 16\r\n\r\n{"ok":true}$/);
  expect(await broken(engine, raw(['one', 1, Buffer.from(' two')], 'reset'))).toEqual({
    text: 'one two',
    end: 'reset',
  });
  engine.respond([hugeHeader(), redirect('http://127.0.0.1:1/'), emptyReply(), answer({ interim: [100] })]);
  expect((await overSocket(engine, '[DONE]')).text.length).toBeGreaterThan(20_480);
  expect((await chat(engine)).headers.get('location')).toBe('http://127.0.0.1:1/');
  expect(await (await chat(engine)).text()).toBe('');
  expect((await overSocket(engine, '[DONE]')).text).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK/);
});

test('a body can be cut, delimited by the close, endless, or of the other kind', async () => {
  const engine = await start({ imitates: 'openai' });
  engine.respond([cutAfterBytes(20, 'fin', { transfer: 'close', shape: 'plain' }), endless('one-event'), aborted()]);
  const cut = await overSocket(engine);
  expect(cut.end).toBe('fin');
  expect(cut.text).toMatch(/\r\n\r\n.{20}$/);
  expect((await overSocket(engine, 'eeee')).end).toBe('open');
  expect((await events(engine)).join('')).toContain('"finish_reason":"abort"');
  engine.respond(answer({ shape: 'stream' }));
  expect((await chat(engine)).headers.get('content-type')).toContain('text/event-stream');
  engine.respond(errorEvent({ error: { message: 'mine' } }, { done: false }));
  expect(await events(engine)).toEqual(['{"error":{"message":"mine"}}']);
});
