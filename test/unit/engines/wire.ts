// Shorthands of the engine tests: answers as a prober hands them in, bodies as a socket brings them.
import type { HeaderMap, ProbeAnswer } from '../../../src/engines/engine.ts';
import { judgeReply } from '../../../src/engines/judge-reply.ts';

export function answer(body: unknown, status = 200, headers: Record<string, string> = {}): ProbeAnswer {
  return { status, headers, body: typeof body === 'string' ? body : JSON.stringify(body) };
}

export function bytes(body: unknown): Buffer {
  return Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
}

export function list(...cards: readonly Record<string, unknown>[]): ProbeAnswer {
  return answer({ object: 'list', data: cards.map((card) => ({ object: 'model', ...card })) });
}

export const judge = (status: number, body: unknown, headers: HeaderMap = {}) =>
  judgeReply(status, headers, bytes(body));
export const verdict = (status: number, body: unknown, headers: HeaderMap = {}) => judge(status, body, headers).verdict;
/** Without its end. */
export const cut = (body: unknown) => JSON.stringify(body).slice(0, -4);
export const error = (message: string, type = '', code: unknown = null) => ({
  error: { message, type, param: null, code },
});
export const flat = (message: string, code: number, type = 'BadRequestError') => ({
  object: 'error',
  message,
  type,
  param: null,
  code,
});
