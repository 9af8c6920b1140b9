// Books the end of an exchange, exactly once: the allowance it took, what was learnt from it, and who watches.
import type { Cost } from '../access/limiter.ts';
import type { Clock } from '../clock.ts';
import type { Roster } from '../fleet/roster.ts';
import type { Exchange, InferenceRequest } from './exchange.ts';
import type { Observer } from './ports.ts';

export interface SettleParts {
  readonly roster: Roster;
  readonly clock: Clock;
  readonly observer: Observer;
}

export function settle(parts: SettleParts, exchange: Exchange, request: InferenceRequest): void {
  exchange.settled = true;
  const cost = finalCost(exchange);
  if (cost === undefined) exchange.grant?.refund();
  else exchange.grant?.settle(cost);
  learn(parts.roster, exchange, request);
  parts.observer.settled(exchange.summary(parts.clock.now()));
}

/** What the caller pays for: as reported, else as counted; only the request itself when a backend has refused it. */
function finalCost({ answered, usage, cost, contentEvents, error }: Exchange): Cost | undefined {
  if (answered) {
    if (usage !== undefined && error === undefined) return usage;
    // A stream that did not reach its end may have told nothing, zeros, or what there was so far.
    return {
      inputTokens: usage?.inputTokens || cost.inputTokens,
      outputTokens: Math.max(usage?.outputTokens ?? 0, contentEvents),
    };
  }
  const refused = error?.code === 'backend_rejected' || error?.code === 'backend_unsuited';
  return refused ? { inputTokens: 0, outputTokens: 0 } : undefined;
}

function learn(roster: Roster, { usage, model, error }: Exchange, request: InferenceRequest): void {
  if (usage === undefined || model === undefined || request.endpoint === 'embeddings') return;
  const estimates = roster.estimates(model);
  if (request.endpoint === 'chat-completions' && request.parts === 0)
    estimates.learnInput(request.textBytes, usage.inputTokens);
  // A bound of the caller's own says nothing about what is usual.
  if (request.maxTokens === undefined && error === undefined) estimates.learnOutput(usage.outputTokens);
}
