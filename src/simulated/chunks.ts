// A turn as the JSON of the OpenAI API: the chunks of a stream, framed as vLLM does, or one plain answer. Pure.
import type { JsonObject } from '../wire/json-value.ts';
import type { Turn } from './turn.ts';

/** What does not come from the request. */
export interface Stamp {
  readonly id: string;
  /** Unix seconds. */
  readonly created: number;
}

export interface Chunks {
  /** Sent with the first token. */
  readonly opening: readonly JsonObject[];
  readonly tokens: readonly JsonObject[];
  readonly closing: readonly JsonObject[];
}

export function chunksOf(turn: Turn, stamp: Stamp): Chunks {
  const top = topOf(turn, stamp, turn.chat ? 'chat.completion.chunk' : 'text_completion');
  const chunk = (choice: JsonObject): JsonObject => ({
    ...top,
    choices: [{ index: 0, logprobs: null, finish_reason: null, ...choice }],
  });
  const usage = turn.includeUsage ? [{ ...top, choices: [], usage: usageOf(turn) }] : [];
  if (!turn.chat) {
    return {
      opening: [],
      tokens: turn.pieces.map((text) => chunk({ text })),
      closing: [chunk({ text: '', finish_reason: turn.finish }), ...usage],
    };
  }
  const delta = (content: JsonObject): JsonObject => chunk({ delta: content });
  const opening = [delta({ role: 'assistant', content: turn.tool === undefined ? '' : null })];
  if (turn.tool !== undefined) opening.push(delta({ tool_calls: [{ index: 0, ...callOf(turn.tool, '', stamp) }] }));
  const token = (text: string): JsonObject =>
    turn.tool === undefined ? { content: text } : { tool_calls: [{ index: 0, function: { arguments: text } }] };
  return {
    opening,
    tokens: turn.pieces.map((text) => delta(token(text))),
    closing: [chunk({ delta: {}, finish_reason: turn.finish }), ...usage],
  };
}

export function plainAnswer(turn: Turn, stamp: Stamp): JsonObject {
  const content = turn.pieces.join('');
  const rest = { logprobs: null, finish_reason: turn.finish };
  if (!turn.chat) {
    return {
      ...topOf(turn, stamp, 'text_completion'),
      choices: [{ index: 0, text: content, ...rest }],
      usage: usageOf(turn),
    };
  }
  const message =
    turn.tool === undefined
      ? { role: 'assistant', content, refusal: null }
      : { role: 'assistant', content: null, refusal: null, tool_calls: [callOf(turn.tool, content, stamp)] };
  return { ...topOf(turn, stamp, 'chat.completion'), choices: [{ index: 0, message, ...rest }], usage: usageOf(turn) };
}

function topOf({ chat, model }: Turn, { id, created }: Stamp, object: string): JsonObject {
  const prefix = chat ? 'chatcmpl' : 'cmpl';
  return { id: `${prefix}-${id}`, object, created, model, system_fingerprint: 'switchyard-simulated' };
}

function callOf(name: string, text: string, { id }: Stamp): JsonObject {
  return { id: `call_${id}`, type: 'function', function: { name, arguments: text } };
}

function usageOf({ promptTokens, pieces }: Turn): JsonObject {
  return {
    prompt_tokens: promptTokens,
    completion_tokens: pieces.length,
    total_tokens: promptTokens + pieces.length,
  };
}
