// Chunks and plain answers of the OpenAI API in the style of one engine. Pure.
import { created, type Json, type Style, type Turn } from './dialect.ts';

/** The JSON of each event of a stream, `[DONE]` not included. */
export function streamEvents(style: Style, turn: Turn): readonly Json[] {
  const chat = turn.endpoint === 'chat';
  const object = chat ? 'chat.completion.chunk' : 'text_completion';
  const usage = style.usage(turn.promptTokens, turn.pieces.length);
  // Ollama repeats a zero usage in every completion chunk when the usage was asked for.
  const extras = style.chunkExtras?.(turn) ?? {};
  const chunk = (choice: Json): Json => ({
    ...style.top(turn, object),
    choices: [{ index: 0, ...choice }],
    ...extras,
  });
  const events: Json[] = [];
  if (!chat) {
    for (const text of turn.pieces) events.push(chunk({ text, ...style.choiceExtras, finish_reason: null }));
    events.push(chunk({ text: '', ...style.choiceExtras, ...style.lastExtras, finish_reason: turn.finish }));
  } else {
    const delta = (content: Json): Json => chunk({ delta: content, ...style.choiceExtras, finish_reason: null });
    if (style.roleDelta !== undefined) events.push(delta(style.roleDelta));
    for (const piece of turn.pieces) events.push(delta(style.contentDelta(piece)));
    for (const part of toolDeltas(style, turn)) events.push(delta(part));
    events.push(
      chunk({ delta: style.lastDelta, ...style.choiceExtras, ...style.lastExtras, finish_reason: turn.finish }),
    );
  }
  if (turn.includeUsage) events.push({ ...style.top(turn, object), choices: [], usage, ...style.usageExtras });
  return events;
}

function toolDeltas(style: Style, turn: Turn): readonly Json[] {
  if (turn.tool === undefined) return [];
  const { name, arguments: text } = turn.tool;
  const head = { index: 0, id: `call_${turn.n}`, type: 'function' };
  if (style.wholeToolCalls === true) return [{ tool_calls: [{ ...head, function: { name, arguments: text } }] }];
  const middle = Math.ceil(text.length / 2);
  return [
    { tool_calls: [{ ...head, function: { name, arguments: '' } }] },
    { tool_calls: [{ index: 0, function: { arguments: text.slice(0, middle) } }] },
    { tool_calls: [{ index: 0, function: { arguments: text.slice(middle) } }] },
  ];
}

export function plainBody(style: Style, turn: Turn): Json {
  const content = turn.pieces.join('');
  const common = { ...style.choiceExtras, ...style.lastExtras, finish_reason: turn.finish };
  const usage = { usage: style.usage(turn.promptTokens, turn.pieces.length), ...style.usageExtras };
  if (turn.endpoint === 'completions') {
    return { ...style.top(turn, 'text_completion'), choices: [{ index: 0, text: content, ...common }], ...usage };
  }
  const message =
    turn.tool === undefined
      ? { role: 'assistant', content }
      : {
          role: 'assistant',
          content: null,
          tool_calls: [{ id: `call_${turn.n}`, type: 'function', function: turn.tool }],
        };
  return { ...style.top(turn, 'chat.completion'), choices: [{ index: 0, message, ...common }], ...usage };
}

/** Vectors of 8 numbers, a different one for each input. */
export function embeddingsBody(model: string, body: Json): Json {
  const input = body['input'];
  const inputs = Array.isArray(input) && typeof input[0] !== 'number' ? input : [input];
  const data = inputs.map((_, index) => {
    const vector = Array.from({ length: 8 }, (_unused, place) => (place === index % 8 ? 1 : 0));
    const base64 = Buffer.from(new Float32Array(vector).buffer).toString('base64');
    return { object: 'embedding', index, embedding: body['encoding_format'] === 'base64' ? base64 : vector };
  });
  return { object: 'list', data, model, usage: { prompt_tokens: 5 * data.length, total_tokens: 5 * data.length } };
}

/** The fields that nearly every engine has beside the choices. */
export function top(turn: Turn, object: string): Json {
  return { id: turn.requestId ?? `chatcmpl-${turn.n}`, object, created, model: turn.model };
}

export function usageNumbers(promptTokens: number, completionTokens: number): Json {
  return {
    prompt_tokens: promptTokens,
    total_tokens: promptTokens + completionTokens,
    completion_tokens: completionTokens,
  };
}
