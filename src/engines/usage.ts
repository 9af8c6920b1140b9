// What a reply says it has cost, in tokens.
import type { Usage } from './engine.ts';
import { amountOf, type JsonObject, known, objectOf, parseJson } from '../wire/json-value.ts';

/**
 * The `usage` in a piece from the beginning or the end of a reply that is too long to be parsed. Inside a text its quotes
 * would be escaped.
 */
export function findUsage(piece: string): Usage | undefined {
  for (const [, object = ''] of piece.matchAll(/(?<!\\)"usage"\s*:\s*(\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\})/g)) {
    const usage = objectOf(parseJson(object));
    const read = usage === undefined ? undefined : readUsage({ usage });
    if (read !== undefined) return read;
  }
  return undefined;
}

/** The `usage` of a chunk or of a plain reply; embeddings have no completion tokens. */
export function readUsage(reply: JsonObject): Usage | undefined {
  const usage = objectOf(reply['usage']);
  if (usage === undefined) return undefined;
  const inputTokens = amountOf(usage['prompt_tokens']);
  const outputTokens = amountOf(usage['completion_tokens']);
  if (inputTokens === undefined && outputTokens === undefined) return undefined;
  const cachedInputTokens = amountOf(objectOf(usage['prompt_tokens_details'])?.['cached_tokens']);
  const reasoningTokens =
    amountOf(objectOf(usage['completion_tokens_details'])?.['reasoning_tokens']) ?? amountOf(usage['reasoning_tokens']);
  return {
    inputTokens: inputTokens ?? 0,
    outputTokens: outputTokens ?? 0,
    ...known({ cachedInputTokens, reasoningTokens }),
  };
}
