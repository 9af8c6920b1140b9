// From a target to a slot in one synchronous step, so that the choice and the count can't disagree: who may take it, in
// which order, and who has room; and which other model stands in when its own members can't.
import { mayUse } from '../access/keyring.ts';
import type { Slot, Slots } from '../admission/slots.ts';
import { GatewayError } from '../errors.ts';
import { adminStateOf, isInRotation } from '../fleet/backend-state.ts';
import type { FallbackCause } from '../fleet/fleet.ts';
import { eligible, type Requirements, surelyEligible, whyNobody } from '../selection/eligible.ts';
import { isInService, isOut, lookedAtAgainMs } from '../selection/panic.ts';
import { noCharge } from '../selection/placement/charge.ts';
import type { Ask, Candidate } from '../selection/policy.ts';
import type { Delivery, Exchange, InferenceRequest } from './exchange.ts';
import { isUnreached } from './retry.ts';
import { canResume } from './resume-request.ts';
import type { Target } from './snapshot.ts';

export interface ClaimParts {
  readonly slots: Slots;
  /** How many wait for a model and would be pushed past by whoever stands in for another. */
  readonly waiting: (model: string) => number;
  readonly nowMs: number;
  /** When whoever waits for a slot has begun to; absent: it has not had to. */
  readonly waitsSinceMs?: number;
  /** Told of every look at the members of a model, before a slot is claimed there. */
  readonly looked?: ((look: Look) => void) | undefined;
}

/** Who could take it, at the moment of a choice. */
export interface Look {
  readonly exchange: Exchange;
  readonly request: InferenceRequest;
  readonly target: Target;
  readonly requirements: Requirements;
  /** Best first; nobody: none can. */
  readonly ranked: () => readonly Candidate[];
  readonly nowMs: number;
  readonly queuedMs: number;
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
  // Where another model stands in, nobody is tried who seems to be out; unless that one can't do it either.
  const isStrict = standIns(delivery, 'no_backend').length > 0;
  const own = claimFrom(parts, delivery, isStrict ? { ...target, panicRatio: 1 } : target);
  if (typeof own !== 'string') return own;
  const other = claimStandIn(parts, delivery, causeOf(own, target, parts.nowMs));
  if (typeof other !== 'string') return other;
  if (own === 'full' || other === 'full') return undefined;
  const last = isStrict ? claimFrom(parts, delivery, target) : own;
  if (typeof last !== 'string') return last;
  throw whyNot(exchange, target, parts.nowMs);
}

function claimStandIn(parts: ClaimParts, delivery: Delivery, cause: FallbackCause): Slot | 'full' | 'nobody' {
  let isFull = false;
  for (const other of standIns(delivery, cause)) {
    const found = parts.waiting(other.model.name) > 0 ? 'full' : claimFrom(parts, delivery, other);
    if (typeof found !== 'string') {
      delivery.exchange.standIn = { model: other.model.name, cause };
      return found;
    }
    isFull ||= found === 'full';
  }
  return isFull ? 'full' : 'nobody';
}

/** Only the same model can go on with what it has said. */
function goOn(parts: ClaimParts, delivery: Delivery): Slot | undefined {
  const { target, request, exchange } = delivery;
  const candidates = target.candidates.filter(({ engine }) => canResume(engine, request.endpoint));
  const found = claimFrom(parts, delivery, { ...target, candidates });
  if (found === 'nobody') throw whyNot(exchange, target, parts.nowMs);
  return found === 'full' ? undefined : found;
}

/** The models that may take it instead of its own: what the key may not use by name, it may not use in this way either. */
export function standIns({ exchange, target }: Delivery, cause: FallbackCause): readonly Target[] {
  if (exchange.answered) return [];
  // A backend that was asked has found the request itself at fault: another model is no answer to that.
  if (exchange.lastFailure?.code === 'backend_unsuited') return [];
  return target.fallbacks(cause).filter(({ model }) => mayUse(exchange.caller, model.name));
}

function claimFrom(parts: ClaimParts, { exchange, request }: Delivery, target: Target): Slot | 'full' | 'nobody' {
  const { slots, nowMs, waitsSinceMs = nowMs, looked } = parts;
  const { contextTokens, tried, largerThanTokens } = exchange;
  const limit = largerThanTokens === undefined ? {} : { largerThanTokens };
  const requirements = { needs: request.needs, contextTokens, tried, panicRatio: target.panicRatio, ...limit };
  const { policy } = target;
  const ask = exchange.askOf(request);
  const best = firstChoice(target, requirements, nowMs);
  let known: readonly Candidate[] | undefined;
  const ranked = () => (known ??= ranking(target, requirements, { nowMs, best, ask }));
  const queuedMs = exchange.queuedMs + nowMs - waitsSinceMs;
  looked?.({ exchange, request, target, requirements, ranked, nowMs, queuedMs });
  const book = (candidate: Candidate) => policy.book?.(candidate, ask) ?? noCharge;
  const slot = (best && slots.claim([best], nowMs, book)) ?? slots.claim(ranked(), nowMs, book);
  if (slot !== undefined) return slot;
  // Nobody waits for a backend that is out: it is tried at once or not at all.
  return ranked().every(isOut) ? 'nobody' : 'full';
}

/** Who would be the first of the ranking, where that can be told without one. */
function firstChoice(
  { candidates, policy, panic }: Target,
  requirements: Requirements,
  nowMs: number,
): Candidate | undefined {
  if (policy.best === undefined) return undefined;
  const panicking = panic.look(candidates, requirements.panicRatio, nowMs);
  const acceptable = surelyEligible(requirements, nowMs, panicking);
  return acceptable && policy.best(candidates, acceptable);
}

/** `best`: who was the first choice already, of several that are alike. */
function ranking(
  { candidates, policy }: Target,
  requirements: Requirements,
  { nowMs, best, ask }: { readonly nowMs: number; readonly best: Candidate | undefined; readonly ask: Ask },
): readonly Candidate[] {
  const able = eligible(candidates, requirements, nowMs);
  const ranked = able.length === 0 ? able : policy.rank(able, ask);
  return best === undefined || ranked[0] === best ? ranked : [best, ...ranked.filter((one) => one !== best)];
}

function causeOf(own: 'full' | 'nobody', { candidates }: Target, nowMs: number): FallbackCause {
  return own === 'full' || whyNobody(candidates, nowMs).reason === 'busy' ? 'overloaded' : 'no_backend';
}

function whyNot({ lastFailure }: Exchange, target: Target, nowMs: number): GatewayError {
  if (lastFailure === undefined) return nobody(target, nowMs);
  return isUnreached(lastFailure) && target.candidates.filter(isInService).every(isOut)
    ? // It was known to be out and was tried all the same: the time to come back says more than a refused connection.
      nobody(target, nowMs)
    : lastFailure;
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
  const againAtMs = lookedAtAgainMs(candidates);
  return new GatewayError(
    'no_backend',
    `No backend of ${name} can take the request now (${detail}).`,
    againAtMs === undefined ? {} : { retryAfterSeconds: Math.max(1, (againAtMs - nowMs) / 1000) },
  );
}
