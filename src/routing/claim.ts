// From a target to a slot in one synchronous step, so that the choice and the count can't disagree: who may take it, in
// which order, and who has room; and which other model stands in when its own members can't.
import { mayUse } from '../access/keyring.ts';
import type { Slot, Slots } from '../admission/slots.ts';
import { GatewayError } from '../errors.ts';
import { adminStateOf, isInRotation } from '../fleet/backend-state.ts';
import type { FallbackCause } from '../fleet/fleet.ts';
import { eligible, whyNobody } from '../selection/eligible.ts';
import type { Delivery } from './exchange.ts';
import { canResume } from './resume-request.ts';
import type { Target } from './snapshot.ts';

export interface ClaimParts {
  readonly slots: Slots;
  /** How many wait for a model: whoever stands in for another must not push past them. */
  readonly waiting: (model: string) => number;
  readonly nowMs: number;
}

/**
 * Undefined: everybody who could take it is full.
 * @throws GatewayError `no_backend`, `overloaded` when all have asked to be left alone, or the failure of the last attempt
 * when nobody else can be tried.
 */
export function claim(parts: ClaimParts, delivery: Delivery): Slot | undefined {
  const { exchange, target } = delivery;
  if (exchange.answered) return goOn(parts, delivery);
  exchange.standIn = undefined;
  const own = claimFrom(parts, delivery, target);
  if (typeof own !== 'string') return own;
  const cause = causeOf(own, target, parts.nowMs);
  let isFull = own === 'full';
  for (const other of standIns(delivery, cause)) {
    const found = parts.waiting(other.model.name) > 0 ? 'full' : claimFrom(parts, delivery, other);
    if (typeof found !== 'string') {
      exchange.standIn = { model: other.model.name, cause };
      return found;
    }
    isFull ||= found === 'full';
  }
  if (isFull) return undefined;
  throw exchange.lastFailure ?? nobody(target, parts.nowMs);
}

/** Only the same model can go on with what it has said. */
function goOn(parts: ClaimParts, delivery: Delivery): Slot | undefined {
  const { target, request, exchange } = delivery;
  const candidates = target.candidates.filter(({ engine }) => canResume(engine, request.endpoint));
  const found = claimFrom(parts, delivery, { ...target, candidates });
  if (found === 'nobody') throw exchange.lastFailure ?? nobody(target, parts.nowMs);
  return found === 'full' ? undefined : found;
}

/** The models that may take it instead of its own: what the key may not use by name, it may not use in this way either. */
export function standIns({ exchange, target }: Delivery, cause: FallbackCause): readonly Target[] {
  if (exchange.answered) return [];
  // A backend that was asked has found the request itself at fault: another model is no answer to that.
  if (exchange.lastFailure?.code === 'backend_unsuited') return [];
  return target.fallbacks(cause).filter(({ model }) => mayUse(exchange.caller, model.name));
}

function claimFrom(
  { slots, nowMs }: ClaimParts,
  { exchange, request }: Delivery,
  { candidates, policy }: Target,
): Slot | 'full' | 'nobody' {
  const { contextTokens, tried, largerThanTokens } = exchange;
  const limit = largerThanTokens === undefined ? {} : { largerThanTokens };
  const able = eligible(candidates, { needs: request.needs, contextTokens, tried, ...limit }, nowMs);
  if (able.length === 0) return 'nobody';
  return slots.claim(policy.rank(able)) ?? 'full';
}

function causeOf(own: 'full' | 'nobody', { candidates }: Target, nowMs: number): FallbackCause {
  return own === 'full' || whyNobody(candidates, nowMs).reason === 'busy' ? 'overloaded' : 'no_backend';
}

function nobody({ model, candidates }: Target, nowMs: number): GatewayError {
  const name = `the model "${model.name}"`;
  const why = whyNobody(candidates, nowMs);
  if (why.reason === 'busy') {
    const message = `Every backend of ${name} that is up has asked to be left alone for a moment.`;
    return new GatewayError('overloaded', message, { retryAfterSeconds: why.retryAfterMs / 1000 });
  }
  const states = candidates.map(
    ({ backend, state }) =>
      `${backend.name}: ${isInRotation(backend, state) ? state.health : adminStateOf(backend, state)}`,
  );
  const detail = states.length === 0 ? 'none is known' : states.slice(0, 8).join(', ');
  return new GatewayError('no_backend', `No backend of ${name} can take the request now (${detail}).`);
}
