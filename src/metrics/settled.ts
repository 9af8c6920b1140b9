// What the end of an attempt and of an exchange counts for.
import type { Outcome } from '../errors.ts';
import type { AttemptEnded, ExchangeSettled } from '../routing/ports.ts';
import type { Instruments } from './instruments.ts';
import type { decisionResults, leavingPhases } from './labels.ts';
import type { ModelNames } from './model-names.ts';

export function countAttempt(instruments: Instruments, event: AttemptEnded, names: ModelNames): void {
  const { backend, attempt, result, policy, broke, connectMs } = event;
  const model = names.of(event.model);
  instruments.attempts.inc({ backend, model, attempt, result });
  if (connectMs !== undefined) instruments.overhead.observe({ phase: 'connect' }, connectMs / 1000);
  if (broke !== undefined) instruments.streamsBroken.inc({ backend, phase: broke, reason: result });
  if (policy !== undefined) decided(instruments, names.of(event.asked), policy, choiceOf(event));
  countForeseen(instruments, event, model);
}

function choiceOf({ asked, model, foreseen }: AttemptEnded): (typeof decisionResults)[number] {
  if (asked !== model) return 'fallback';
  if (foreseen === undefined || foreseen.heldTokens === 0) return 'best';
  return foreseen.cachedTokens >= foreseen.heldTokens / 2 ? 'affinity_hit' : 'affinity_spill';
}

/** Only what both sides have said something about: otherwise the one could not be held against the other. */
function countForeseen({ ttftRatio, cachedTokens }: Instruments, event: AttemptEnded, model: string): void {
  const { foreseen, backend, firstTokenMs, cachedTokens: reported } = event;
  if (foreseen === undefined) return;
  if (firstTokenMs !== undefined && foreseen.ttftMs > 0) ttftRatio.observe({ backend }, firstTokenMs / foreseen.ttftMs);
  if (reported === undefined) return;
  cachedTokens.inc({ model, source: 'predicted' }, foreseen.cachedTokens);
  cachedTokens.inc({ model, source: 'reported' }, reported);
}

function decided(
  { decisions }: Instruments,
  model: string,
  policy: string,
  result: (typeof decisionResults)[number],
): void {
  decisions.inc({ model, policy, result });
}

/** `tenant`: as labels have it. */
export function countExchange(
  instruments: Instruments,
  event: ExchangeSettled,
  names: ModelNames,
  tenant: string,
): void {
  const model = names.of(event.model);
  const { endpoint, outcome, policy } = event;
  instruments.requests.inc({ model, endpoint, outcome, status_class: `${Math.floor(event.status / 100)}xx` });
  instruments.requestDuration.observe({ model, endpoint, outcome }, event.durationMs / 1000);
  countOverhead(instruments, event);
  const reason = rejectionReasons[outcome];
  if (reason !== undefined) instruments.rejections.inc({ model, reason });
  if (outcome === 'client_closed') instruments.disconnects.inc({ endpoint, phase: leftWhile(event) });
  if (policy !== undefined && (outcome === 'no_backend' || outcome === 'overloaded'))
    decided(instruments, model, policy, 'none');
  if (event.failedOver !== undefined) instruments.failovers.inc({ model, reason: event.failedOver });
  if (event.standIn !== undefined)
    instruments.fallbacks.inc({ model, to: names.of(event.standIn.model), cause: event.standIn.cause });
  if (event.continued !== undefined)
    instruments.continuations.inc({ model, result: outcome === 'ok' ? 'completed' : 'failed' });
  countTokens(instruments, event, model, tenant);
}

/** The outcomes that are a refusal of ours. */
const rejectionReasons: Partial<Record<Outcome, string>> = {
  rate_limit_exceeded: 'rate_limit',
  limiter_unavailable: 'limiter_unavailable',
  no_backend: 'no_backend',
  request_too_large: 'too_large',
  unauthorized: 'unauthorized',
  draining: 'draining',
};

function leftWhile({ attempts, policy, ttftMs }: ExchangeSettled): (typeof leavingPhases)[number] {
  if (ttftMs !== undefined) return 'streaming';
  return attempts === 0 && policy !== undefined ? 'queue' : 'before_first_byte';
}

function countOverhead({ overhead }: Instruments, { parseMs, routeMs, relayMs, attempts }: ExchangeSettled): void {
  if (parseMs === undefined) return;
  overhead.observe({ phase: 'parse' }, parseMs / 1000);
  if (routeMs !== undefined && attempts > 0)
    overhead.observe({ phase: 'select' }, Math.max(0, routeMs - parseMs) / 1000);
  if (relayMs !== undefined) overhead.observe({ phase: 'first_byte' }, relayMs / 1000);
}

function countTokens(instruments: Instruments, event: ExchangeSettled, model: string, tenant: string): void {
  const { backend, usage, outcome } = event;
  if (backend !== undefined) countSpeed(instruments, event, { backend, model });
  if (usage === undefined) {
    if (backend !== undefined && outcome === ('ok' satisfies Outcome)) instruments.usageMissing.inc({ backend, model });
    return;
  }
  const { tokens, inputTokens } = instruments;
  inputTokens.observe({ model }, usage.inputTokens);
  tokens.inc({ model, tenant, type: 'input' }, usage.inputTokens);
  tokens.inc({ model, tenant, type: 'output' }, usage.outputTokens);
  if (usage.cachedInputTokens) tokens.inc({ model, tenant, type: 'cached_input' }, usage.cachedInputTokens);
  if (usage.reasoningTokens) tokens.inc({ model, tenant, type: 'reasoning' }, usage.reasoningTokens);
}

function countSpeed(
  { firstToken, perToken }: Instruments,
  event: ExchangeSettled,
  labels: { readonly backend: string; readonly model: string },
): void {
  if (event.firstTokenMs === undefined) return;
  firstToken.observe(labels, event.firstTokenMs / 1000);
  const perTokenMs = perTokenOf(event);
  if (perTokenMs !== undefined) perToken.observe(labels, perTokenMs / 1000);
}

/** Milliseconds between two tokens of a stream, on average; undefined where there were no two. */
export function perTokenOf({ usage, contentEvents, durationMs, firstTokenMs }: ExchangeSettled): number | undefined {
  const tokens = usage?.outputTokens ?? contentEvents;
  return firstTokenMs === undefined || tokens <= 1 ? undefined : (durationMs - firstTokenMs) / (tokens - 1);
}
