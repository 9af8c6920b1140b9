// Reads events of a stream. One reader for all engines: their chunks differ in which fields are missing or null, not in
// what the fields mean.
import { errorIn } from './backend-error.ts';
import type { EventReading } from './engine.ts';
import { isFilled, isObject, known, parseJson } from '../wire/json-value.ts';
import { judgeErrorWithin } from './judge-reply.ts';
import { readUsage } from './usage.ts';

const nothing: EventReading = { content: false, done: false, usageOnly: false };
const content: EventReading = { content: true, done: false, usageOnly: false };
const end: EventReading = { content: false, done: true, usageOnly: false };

/** vLLM ends requests this way when it shuts down: not an answer, although the status says so. */
const aborted: EventReading = { ...nothing, failure: { verdict: 'broken', status: 502 } };

/** What is not JSON is neither content nor failure: it is passed on as it came. Never throws. */
export function readEvent(data: string): EventReading {
  if (data.trim() === '[DONE]') return end;
  const event = parseJson(data);
  if (!isObject(event)) return nothing;
  const error = errorIn(event);
  const usage = readUsage(event);
  const choices = Array.isArray(event['choices']) ? event['choices'] : undefined;
  const plain = error === undefined ? readChoices(choices ?? []) : { ...nothing, failure: judgeErrorWithin(error) };
  if (!isObject(event['usage'])) return plain;
  return { ...plain, ...known({ usage }), usageOnly: choices?.length === 0 && plain.failure === undefined };
}

function readChoices(choices: readonly unknown[]): EventReading {
  let found = nothing;
  for (const choice of choices) {
    if (!isObject(choice)) continue;
    const reason = choice['finish_reason'];
    if (reason === 'abort') return aborted;
    if (isFilled(reason) || isFilled(choice['text']) || hasContent(choice['delta'])) found = content;
  }
  return found;
}

const contentFields = [
  'content',
  'reasoning_content',
  'reasoning',
  'tool_calls',
  'text',
  'refusal',
  'audio',
  'function_call',
];

function hasContent(delta: unknown): boolean {
  if (!isObject(delta)) return false;
  for (const field of contentFields) if (isFilled(delta[field])) return true;
  return false;
}
