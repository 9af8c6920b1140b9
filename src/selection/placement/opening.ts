// How a conversation begins: the bytes of its messages up to the first question, the same in every turn.
import { isObject, parseJson } from '../../wire/json-value.ts';
import { itemsOf, type Span } from '../../wire/json-scan.ts';

/** Undefined: there is no question in it. */
export function opening(body: Buffer, messages: Span): string | undefined {
  for (const { start, end } of itemsOf(body, messages)) {
    const message = parseJson(body.toString('utf8', start, end));
    if (isObject(message) && message.role === 'user') return body.toString('latin1', messages.start, end);
  }
  return undefined;
}
