// What streams of a measurement say: each event has its number and a hash of stream and number, so that what is lost, doubled,
// out of order or another stream's is seen.
import { crc32 } from 'node:zlib';

export const modelName = 'bench-model';

export const streamHead =
  'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"bench-model","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}\n\n';

/** Event `number` of `events`; the last one has the finish reason. */
export function contentOf(stream: string, number: number, events: number): string {
  const reason = number === events - 1 ? '"stop"' : 'null';
  return `data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"bench-model","choices":[{"index":0,"delta":{"content":"${wordOf(stream, number)}"},"finish_reason":${reason}}]}\n\n`;
}

export function wordOf(stream: string, number: number): string {
  return `#${number}:${crc32(`${stream}/${number}`).toString(16)} `;
}

/** A chat request of about `bytes` bytes, as SDKs send it. The prompt begins with the name of the stream, which no proxy takes away. */
export function chatBody({ bytes, stream = false, name = '' }: ChatWishes): string {
  const fixed = { model: modelName, stream, temperature: 0.7, max_tokens: 200 };
  const begin = name === '' ? '' : `[${name}] `;
  const empty = JSON.stringify({ ...fixed, messages: [{ role: 'user', content: begin }] });
  const content = 'lorem ipsum dolor sit amet '
    .repeat(Math.ceil(bytes / 27))
    .slice(0, Math.max(0, bytes - empty.length));
  return JSON.stringify({ ...fixed, messages: [{ role: 'user', content: begin + content }] });
}

export interface ChatWishes {
  readonly bytes: number;
  readonly stream?: boolean;
  /** Of the stream, letters and digits. */
  readonly name?: string;
}
