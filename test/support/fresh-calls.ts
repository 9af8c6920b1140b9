// Requests that each come on a connection of their own, so that they come to any of the threads that listen.
import { type IncomingMessage, request } from 'node:http';

export interface FreshAnswer {
  readonly status: number;
  readonly text: string;
  /** Whether it came to its end. */
  readonly whole: boolean;
}

export interface FreshCall {
  /** Resolves when the head is there. @throws Error when none comes */
  readonly begun: Promise<number>;
  /** Resolves however it ends, once it was begun. */
  readonly ended: Promise<FreshAnswer>;
  hangUp(): void;
}

export function freshChat(port: number, body: Readonly<Record<string, unknown>> = {}): FreshCall {
  const { promise: begun, resolve: begin, reject } = Promise.withResolvers<number>();
  const { promise: ended, resolve: end } = Promise.withResolvers<FreshAnswer>();
  begun.catch(() => {});
  const call = request({
    host: '127.0.0.1',
    port,
    path: '/v1/chat/completions',
    method: 'POST',
    agent: false,
    headers: { 'content-type': 'application/json' },
  });
  call.on('error', reject);
  call.on('response', (response: IncomingMessage) => {
    const status = response.statusCode ?? 0;
    let text = '';
    begin(status);
    response.on('error', () => {});
    response.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    response.on('close', () => end({ status, text, whole: response.complete }));
  });
  call.end(JSON.stringify({ model: 'test-model', messages: [{ role: 'user', content: 'hi' }], ...body }));
  return { begun, ended, hangUp: () => call.destroy() };
}

/** So many at once, to their ends. */
export async function freshChats(
  port: number,
  count: number,
  body: Readonly<Record<string, unknown>> = {},
): Promise<readonly FreshAnswer[]> {
  const calls = Array.from({ length: count }, () => freshChat(port, body));
  return Promise.all(
    calls.map(async ({ begun, ended }) => {
      await begun;
      return ended;
    }),
  );
}
