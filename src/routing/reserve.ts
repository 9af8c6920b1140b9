// From a target to a slot: who may take it, in which order, and who has room. One synchronous step, so that the choice
// and the count can't disagree.
import type { Slot, Slots } from '../admission/slots.ts';
import type { Clock } from '../clock.ts';
import { GatewayError } from '../errors.ts';
import { eligible, whyNobody } from '../selection/eligible.ts';
import type { Delivery } from './exchange.ts';
import type { Target } from './snapshot.ts';

export interface ReserveParts {
  readonly slots: Slots;
  readonly clock: Clock;
}

/** @throws GatewayError `no_backend`, `overloaded`, or the failure of the last attempt when nobody else can be tried. */
export function reserve(parts: ReserveParts, { exchange, request, target }: Delivery): Slot {
  const nowMs = parts.clock.now();
  const candidates = eligible(
    target.candidates,
    {
      needs: request.needs,
      contextTokens: exchange.contextTokens,
      tried: exchange.tried,
      ...(exchange.largerThanTokens === undefined ? {} : { largerThanTokens: exchange.largerThanTokens }),
    },
    nowMs,
  );
  const slot = candidates.length === 0 ? undefined : parts.slots.claim(target.policy.rank(candidates));
  if (slot !== undefined) return slot;
  throw exchange.lastFailure ?? nobody(target, candidates.length, nowMs);
}

function nobody({ model, candidates }: Target, eligibleCount: number, nowMs: number): GatewayError {
  const name = `the model "${model.name}"`;
  if (eligibleCount > 0) {
    return new GatewayError(
      'overloaded',
      `Every backend of ${name} is full: ${eligibleCount} of ${candidates.length} could take the request.`,
    );
  }
  const why = whyNobody(candidates, nowMs);
  if (why.reason === 'busy') {
    const message = `Every backend of ${name} that is up has asked to be left alone for a moment.`;
    return new GatewayError('overloaded', message, { retryAfterSeconds: why.retryAfterMs / 1000 });
  }
  const states = candidates.map(
    ({ backend, state }) => `${backend.name}: ${backend.state === 'enabled' ? state.health : backend.state}`,
  );
  const detail = states.length === 0 ? 'none is known' : states.slice(0, 8).join(', ');
  return new GatewayError('no_backend', `No backend of ${name} can take the request now (${detail}).`);
}
