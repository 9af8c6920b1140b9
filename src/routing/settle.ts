// Books the end of an exchange, exactly once: the allowance it took, what was learnt from it, and who watches.
import type { Cost } from '../access/limiter.ts';
import type { Clock } from '../clock.ts';
import type { Roster } from '../fleet/roster.ts';
import type { TokenEstimates } from '../fleet/token-estimates.ts';
import type { Exchange, InferenceRequest } from './exchange.ts';
import type { Observer } from './ports.ts';

export interface SettleParts {
  readonly roster: Roster;
  readonly clock: Clock;
  readonly observer: Observer;
}

export function settle(parts: SettleParts, exchange: Exchange, request: InferenceRequest): void {
  exchange.settled = true;
  exchange.retries?.leave();
  exchange.patience?.end();
  const { grant, model } = exchange;
  if (grant !== undefined && model !== undefined) {
    const cost = finalCost(exchange, parts.roster.estimates(model));
    if (cost === undefined) grant.refund();
    else grant.settle(cost);
  }
  learn(parts.roster, exchange, request);
  const event = exchange.summary(parts.clock.now());
  parts.observer.settled(event);
  exchange.trace?.ended(event);
}

/**
 * What the caller pays for; undefined: nothing, because no backend has answered. What was reported counts; else what was
 * counted; else what was expected. Whoever hangs up on a backend pays for what that backend was asked to do.
 */
function finalCost(exchange: Exchange, estimates: TokenEstimates): Cost | undefined {
  const { answered, usage, cost, contentEvents, error, stream } = exchange;
  const hungUp = error?.code === 'client_closed' && exchange.attempts > 0;
  if (answered || hungUp) {
    if (usage !== undefined && error === undefined) return usage;
    const unknown = stream ? contentEvents : (cost.answers ?? 1) * Math.min(cost.outputTokens, estimates.output());
    // A stream that did not reach its end may have told nothing, zeros, or what there was so far.
    return {
      inputTokens: usage?.inputTokens || cost.inputTokens,
      outputTokens: Math.max(usage?.outputTokens ?? 0, unknown),
    };
  }
  // A backend has looked at it: the request counts, and no token does.
  const refused = error?.code === 'backend_rejected' || error?.code === 'backend_unsuited';
  return refused ? { inputTokens: 0, outputTokens: 0 } : undefined;
}

function learn(roster: Roster, { usage, served: model, error, caller }: Exchange, request: InferenceRequest): void {
  if (usage === undefined || model === undefined || request.endpoint === 'embeddings') return;
  const estimates = roster.estimates(model);
  if (request.endpoint === 'chat-completions' && request.parts === 0)
    estimates.learnInput(request.totalTextBytes, usage.inputTokens);
  if (error !== undefined) return;
  estimates.learnAnswer(caller.tenant, usage.outputTokens / request.answers);
  // A bound of the caller's own says nothing about what is usual without one.
  if (request.maxTokens === undefined) estimates.learnOutput(usage.outputTokens / request.answers);
}
