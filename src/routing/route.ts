// The request's way, from a request that was read to an answer that was relayed. Reads aloud in a minute.
import type { RateLimiter } from '../access/limiter.ts';
import type { Clock } from '../clock.ts';
import type { Roster } from '../fleet/roster.ts';
import { type AttemptParts, attempt } from './attempt.ts';
import { Continuation } from './continuation.ts';
import type { Delivery, Exchange, InferenceRequest } from './exchange.ts';
import type { Observer, Reply } from './ports.ts';
import { Patience } from './patience.ts';
import { type ReserveParts, reserve } from './reserve.ts';
import type { RetryBudget } from './retry-budget.ts';
import { mayRetry } from './retry.ts';
import { settle } from './settle.ts';
import { sayTrailer } from './trailer.ts';
import { estimate, resolve } from './snapshot.ts';

export interface RouteParts extends AttemptParts, ReserveParts {
  readonly roster: Roster;
  readonly limiter: RateLimiter;
  readonly retryBudget: RetryBudget;
  readonly clock: Clock;
  readonly observer: Observer;
}

export type Route = (exchange: Exchange, request: InferenceRequest, reply: Reply) => Promise<void>;

/** Resolves when the answer has left; rejects with the GatewayError the caller is to be told, if anything still can be. */
export function createRoute(parts: RouteParts): Route {
  const { snapshots, roster, limiter, retryBudget, clock } = parts;

  return async function route(exchange, request, reply) {
    try {
      const target = resolve(snapshots.current(), { request, caller: exchange.caller, nowMs: clock.now() });
      const model = target.model.name;
      const expected = estimate(request, roster.estimates(model), exchange.caller.tenant);
      exchange.begin(target, request, { ...expected, nowMs: clock.now() });
      if (request.stream && target.queue.comments) exchange.patience = new Patience(clock, reply);
      if (request.stream && target.continuation) exchange.continuation = new Continuation(request);
      exchange.retries = retryBudget.enter(model, expected.cost.inputTokens);
      exchange.grant = await limiter.take({ caller: exchange.caller, model, cost: expected.cost });
      await deliver({ exchange, request, target, reply });
    } catch (cause) {
      if (reply.opened) exchange.status = 200;
      const error = exchange.fail(cause);
      sayTrailer(exchange, reply, clock.now());
      reply.fail(error);
      throw error;
    } finally {
      settle(parts, exchange, request); // exactly once, for every ending
    }
  };

  async function deliver(delivery: Delivery): Promise<void> {
    for (;;) {
      const slot = await reserve(parts, delivery);
      try {
        return await attempt(parts, delivery, slot);
      } catch (failure) {
        if (!mayRetry(failure, delivery, clock.now())) throw failure;
        delivery.exchange.giveUpOn(slot.candidate, failure);
      } finally {
        slot.release();
      }
    }
  }
}
