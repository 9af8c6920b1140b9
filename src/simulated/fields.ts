// Reading JSON whose shape is not known yet, and the answer for a request that can't be served.
import { isObject } from '../wire/json-value.ts';

/** An answer in OpenAI's error shape instead of what was asked for. */
export interface Refusal {
  readonly kind: 'refusal';
  readonly status: number;
  readonly error: {
    readonly message: string;
    readonly type: string;
    readonly param: string | null;
    readonly code: string | null;
  };
}

export function refuse(status: number, message: string, about: { param?: string; code?: string } = {}): Refusal {
  const error = { message, type: 'invalid_request_error', param: about.param ?? null, code: about.code ?? null };
  return { kind: 'refusal', status, error };
}

/** All text of a message, a prompt or an input, parts included. */
export function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  if (Array.isArray(value)) return value.map(textOf).join(' ').trim();
  return isObject(value) ? textOf(value['content'] ?? value['text']) : '';
}

/** A token is about four characters; never none. */
export function tokensIn(text: string): number {
  return Math.max(1, Math.ceil(text.length / 4));
}
