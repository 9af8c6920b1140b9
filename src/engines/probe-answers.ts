// Readings several engines share: health by status, lists of models, pages of metrics, load.
import type { Health, LoadReading, ProbeAnswer } from './engine.ts';
import { readError } from './backend-error.ts';
import { isLoading } from './error-phrases.ts';
import { type JsonObject, objectOf, objectsIn, parseJson, textOf } from '../wire/json-value.ts';
import { mean, type Sample, sum } from './prometheus.ts';

type Answer = ProbeAnswer | undefined;

/** Ready at 2xx. 503 is loading where the text says so. */
export function healthByStatus(answer: Answer): Health {
  if (answer === undefined) return 'down';
  const { status, body } = answer;
  if (status >= 200 && status < 300) return 'up';
  if (status === 401 || status === 403) return 'misconfigured';
  return status === 503 && isLoading(readError(body)) ? 'loading' : 'down';
}

/** The body of a good answer. */
export function pageOf(answer: Answer): string | undefined {
  return answer !== undefined && answer.status >= 200 && answer.status < 300 ? answer.body : undefined;
}

/** The JSON object of a good answer. */
export function objectFrom(answer: Answer): JsonObject | undefined {
  const page = pageOf(answer);
  return page === undefined ? undefined : objectOf(parseJson(page));
}

export interface Card {
  readonly id: string;
  readonly card: JsonObject;
}

/**
 * The entries of an OpenAI list, each id once; undefined when there was no such list. `"data": null` is Ollama's way
 * to say that there are none.
 */
export function cardsFrom(answer: Answer): readonly Card[] | undefined {
  const list = objectFrom(answer);
  if (list === undefined || !(Array.isArray(list['data']) || list['data'] === null)) return undefined;
  const cards = new Map<string, JsonObject>();
  for (const card of objectsIn(list['data'])) {
    const id = textOf(card['id']);
    if (id !== undefined && !cards.has(id)) cards.set(id, card);
  }
  return Array.from(cards, ([id, card]) => ({ id, card }));
}

/** Undefined when neither count is there. */
export function loadFrom(
  running: readonly Sample[],
  waiting: readonly Sample[],
  kvUsage: readonly Sample[],
): LoadReading | undefined {
  if (running.length === 0 && waiting.length === 0) return undefined;
  return loadReading(sum(running) ?? 0, sum(waiting) ?? 0, mean(kvUsage));
}

export function loadReading(running: number, waiting: number, kvUsage: number | undefined): LoadReading {
  const counts = { running: Math.max(0, running), waiting: Math.max(0, waiting) };
  return kvUsage === undefined ? counts : { ...counts, kvUsage: Math.min(1, Math.max(0, kvUsage)) };
}
