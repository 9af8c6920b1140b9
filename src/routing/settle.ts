// Books the end of an exchange, exactly once: the allowance it took, what was learnt from it, and who watches.
import type { RateLimiter } from '../access/limiter.ts';
import type { Clock } from '../clock.ts';
import type { Roster } from '../fleet/roster.ts';
import type { Exchange, InferenceRequest } from './exchange.ts';
import type { Observer } from './ports.ts';

export interface SettleParts {
  readonly limiter: RateLimiter;
  readonly roster: Roster;
  readonly clock: Clock;
  readonly observer: Observer;
}

export function settle(parts: SettleParts, exchange: Exchange, request: InferenceRequest): void {
  exchange.settled = true;
  const { usage, grant, model } = exchange;
  if (grant !== undefined) {
    const counted = { inputTokens: exchange.cost.inputTokens, outputTokens: exchange.contentEvents };
    if (exchange.answered) parts.limiter.settle(grant, usage ?? counted);
    else parts.limiter.refund(grant);
  }
  if (usage !== undefined && model !== undefined && request.endpoint === 'chat-completions' && request.parts === 0) {
    parts.roster.tokenRatio(model).learn(request.textBytes, usage.inputTokens);
  }
  parts.observer.settled(exchange.summary(parts.clock.now()));
}
