// From a target to a slot: who may take it, in which order, and who has room. That is one synchronous step, so that the
// choice and the count can't disagree; when everybody is full it is taken again whenever something has become free.
import type { Slot, Slots } from '../admission/slots.ts';
import { roomGrowsAtMs } from '../admission/slow-start.ts';
import type { WaitingRoom } from '../admission/waiting-room.ts';
import type { Clock } from '../clock.ts';
import { GatewayError } from '../errors.ts';
import { askableAgainMs, eligible, whyNobody } from '../selection/eligible.ts';
import { isInService, isOut, lookedAtAgainMs } from '../selection/panic.ts';
import type { Delivery } from './exchange.ts';
import { whyGone } from './failures.ts';
import type { Target } from './snapshot.ts';

export interface ReserveParts {
  readonly slots: Slots;
  readonly waitingRoom: WaitingRoom;
  readonly clock: Clock;
}

/**
 * Resolves with a slot, at once or after a wait.
 * @throws GatewayError `no_backend`, `overloaded`, why the caller is gone, or the failure of the last attempt when nobody
 * else can be tried.
 */
export async function reserve(parts: ReserveParts, delivery: Delivery): Promise<Slot> {
  const { exchange, target, reply } = delivery;
  const { waitingRoom, clock } = parts;
  if (reply.gone.aborted) throw whyGone(reply.gone);
  const claim = () => claimNow(parts, delivery);
  // Whoever comes now stands behind those that wait.
  const slot = waitingRoom.length(target.model.name) === 0 ? claim() : undefined;
  if (slot !== undefined) return slot;
  const { tenant, priority, weight } = exchange.caller;
  const sinceMs = clock.now();
  const waiting = waitingRoom.enter({
    model: target.model.name,
    kind: kindOf(delivery),
    tenant,
    priority,
    weight,
    cost: exchange.cost.inputTokens + exchange.cost.outputTokens,
    maxLength: target.queue.maxLength,
    maxWaitMs: Math.min(target.queue.maxWaitMs, exchange.deadlineMs - clock.now()),
    claim,
    againAtMs: () =>
      soonest(askableAgainMs(target.candidates, clock.now()), roomGrowsAtMs(target.candidates, clock.now())),
    gone: reply.gone,
    whyGone: () => whyGone(reply.gone),
  });
  return waiting.finally(() => {
    exchange.queuedMs += clock.now() - sinceMs;
  });
}

function soonest(...times: readonly (number | undefined)[]): number | undefined {
  const known = times.filter((time) => time !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
}

/** All that decides which members may take it. */
function kindOf({ exchange, request, target }: Delivery): string {
  const fitting = target.candidates.map(({ member }) =>
    Number((member.contextTokens ?? Infinity) >= exchange.contextTokens),
  );
  const parts = [target.model.name, request.needs, fitting.join(''), [...exchange.tried], exchange.largerThanTokens];
  return JSON.stringify(parts);
}

/** Undefined: everybody who could take it is full. */
function claimNow(parts: ReserveParts, { exchange, request, target }: Delivery): Slot | undefined {
  const nowMs = parts.clock.now();
  const candidates = eligible(
    target.candidates,
    {
      needs: request.needs,
      contextTokens: exchange.contextTokens,
      tried: exchange.tried,
      panicRatio: target.panicRatio,
      ...(exchange.largerThanTokens === undefined ? {} : { largerThanTokens: exchange.largerThanTokens }),
    },
    nowMs,
  );
  if (candidates.length > 0) {
    const slot = parts.slots.claim(target.policy.rank(candidates), nowMs);
    // Nobody waits for a backend that is out: it is tried at once or not at all.
    if (slot !== undefined || !candidates.every(isOut)) return slot;
  }
  const failure = exchange.lastFailure;
  if (failure === undefined || (isNotThere(failure) && target.candidates.filter(isInService).every(isOut)))
    throw nobody(target, nowMs);
  throw failure;
}

/**
 * It was known to be out, was tried all the same, and is not there: that tells nothing new, and the caller is better served
 * with the time to come back than with a refused connection.
 */
function isNotThere({ code }: GatewayError): boolean {
  return code === 'backend_unreachable' || code === 'connect_timeout';
}

function nobody({ model, candidates }: Target, nowMs: number): GatewayError {
  const name = `the model "${model.name}"`;
  const why = whyNobody(candidates, nowMs);
  if (why.reason === 'busy') {
    const message = `Every backend of ${name} that is up has asked to be left alone for a moment.`;
    return new GatewayError('overloaded', message, { retryAfterSeconds: why.retryAfterMs / 1000 });
  }
  const states = candidates.map(
    ({ backend, state }) => `${backend.name}: ${backend.state === 'enabled' ? state.health : backend.state}`,
  );
  const detail = states.length === 0 ? 'none is known' : states.slice(0, 8).join(', ');
  const message = `No backend of ${name} can take the request now (${detail}).`;
  const againAtMs = lookedAtAgainMs(candidates);
  if (againAtMs === undefined) return new GatewayError('no_backend', message);
  return new GatewayError('no_backend', message, { retryAfterSeconds: Math.max(1, (againAtMs - nowMs) / 1000) });
}
