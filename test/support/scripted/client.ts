// How tests talk to a scripted engine directly: by fetch, or over a socket whose every byte they see.
import { connect } from 'node:net';
import type { ScriptedEngine } from '../scripted-engine.ts';

/** Never follows a redirect. */
export function chat(engine: ScriptedEngine, more: object = {}, init: RequestInit = {}): Promise<Response> {
  const body = JSON.stringify({ model: 'test-model', messages: [{ role: 'user', content: 'hello' }], ...more });
  const headers = { 'content-type': 'application/json' };
  return fetch(`${engine.url}/v1/chat/completions`, { method: 'POST', body, headers, redirect: 'manual', ...init });
}

/** The data of each event of a streamed chat. */
export async function events(engine: ScriptedEngine, more: object = {}): Promise<readonly string[]> {
  const reply = await chat(engine, { stream: true, ...more });
  return (await reply.text())
    .split('\n')
    .filter((line) => line.startsWith('data: '))
    .map((line) => line.slice(6));
}

/** One streamed chat over a socket of its own: all bytes until the connection ends, and how it ended. */
export async function overSocket(engine: ScriptedEngine, until?: string): Promise<{ text: string; end: string }> {
  const body = JSON.stringify({ model: 'test-model', messages: [], stream: true });
  const socket = connect(engine.port, '127.0.0.1');
  socket.write(
    `POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  );
  const { promise, resolve } = Promise.withResolvers<{ text: string; end: string }>();
  let text = '';
  socket.on('data', (bytes) => {
    text += bytes.toString('latin1');
    if (until !== undefined && text.includes(until)) resolve({ text, end: 'open' });
  });
  socket.on('end', () => resolve({ text, end: 'fin' }));
  socket.on('error', (error) => resolve({ text, end: error.message.includes('ECONNRESET') ? 'reset' : error.message }));
  const seen = await promise;
  socket.destroy();
  return seen;
}
