// What the end of an attempt teaches a backend's learnt limit; see admission/learnt-limit.
import type { Slot } from '../admission/slots.ts';
import type { AttemptEnd } from './aftermath.ts';
import type { Exchange } from './exchange.ts';

/** Only where `max_in_flight` is `auto`. Failures say nothing about how much a box can run, unless it says that it is full. */
export function teachLimit(
  exchange: Exchange,
  slot: Slot,
  { startedMs, failure }: Pick<AttemptEnd, 'startedMs' | 'failure'>,
  nowMs: number,
): void {
  const { backend, state } = slot.candidate;
  if (backend.maxInFlight !== 'auto') return;
  if (failure?.judgement?.verdict === 'busy') state.limit.refused({ startedMs, inFlight: slot.inFlight }, nowMs);
  // The rest of a stream says neither when it began nor what it took: most of its tokens may be another box's.
  if (failure !== undefined || exchange.continuation?.wasTried === true) return;
  const { usage, firstTokenAtMs, contentEvents, cost } = exchange;
  state.limit.learn({
    startedMs,
    firstTokenMs: firstTokenAtMs === undefined ? undefined : firstTokenAtMs - startedMs,
    totalMs: nowMs - startedMs,
    promptTokens: Math.max(0, (usage?.inputTokens ?? cost.inputTokens) - (usage?.cachedInputTokens ?? 0)),
    outputTokens: usage?.outputTokens ?? contentEvents,
    inFlight: slot.inFlight,
  });
}
