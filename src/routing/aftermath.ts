// What an attempt teaches about its backend, booked once, when the attempt has ended.
import type { Clock } from '../clock.ts';
import { type HoldOff, unableMs } from '../fleet/backend-state.ts';
import type { Slot } from '../admission/slots.ts';
import type { Candidate } from '../selection/policy.ts';
import type { Delivery } from './exchange.ts';
import type { AttemptFailure } from './failures.ts';
import { lostTokens } from './lost-tokens.ts';
import type { Observer, Rediscovery } from './ports.ts';
import { isUnreached } from './retry.ts';
import { teachLimit } from './teach-limit.ts';

export interface AftermathParts {
  readonly clock: Clock;
  readonly observer: Observer;
  readonly rediscovery: Rediscovery;
  /** Something else is known of a member than before; `failed`: that it has failed, or counts as failing no more. Left out: nobody asks. */
  readonly learnt?: ((candidate: Candidate, failed: boolean | undefined) => void) | undefined;
}

const maxHoldOffMs = 60_000;
const guessedMs = { busy: 1_000, loading: 2_000, misconfigured: 60_000, 'wrong-model': 5_000 } as const;

/** How an attempt ended. */
export interface AttemptEnd {
  readonly startedMs: number;
  readonly failure: AttemptFailure | undefined;
  /** Whether something of it had left for the caller, and whether it went on with what another had begun. */
  readonly committed: boolean;
  readonly resumed: boolean;
}

export function bookAttempt(
  parts: AftermathParts,
  delivery: Delivery,
  slot: Slot,
  { startedMs, failure, committed, resumed }: AttemptEnd,
): void {
  const { exchange, request } = delivery;
  const { candidate, ticket } = slot;
  const { memberState } = candidate;
  const nowMs = parts.clock.now();
  if (failure !== undefined) exchange.timings.returned(nowMs);
  teachLimit(exchange, slot, { startedMs, failure }, nowMs);
  if (failure === undefined) {
    const isNews = memberState.holdOff !== undefined || memberState.failures.at(nowMs) > 0;
    const provenBefore = memberState.proven.size;
    memberState.failures.clear();
    memberState.holdOff = undefined;
    memberState.circuit.record('success', ticket);
    slot.charge.answered({ cachedTokens: exchange.usage?.cachedInputTokens });
    for (const need of request.needs) memberState.proven.add(need);
    if (isNews || memberState.proven.size > provenBefore) parts.learnt?.(candidate, false);
  } else {
    const { blames } = failure.error.row;
    if (blames) memberState.failures.add(nowMs);
    memberState.circuit.record(blames ? 'failure' : 'neutral', ticket);
    if (isUnreached(failure.error)) blameOtherMembers(slot);
    const { holdOff: before } = memberState;
    learn(parts, delivery, slot, failure);
    const isNews = memberState.holdOff !== before || failure.judgement?.verdict === 'unsupported';
    if (blames || isNews) parts.learnt?.(candidate, blames ? true : undefined);
  }
  const isBroken = committed && request.stream && failure?.error.row.source === 'backend';
  const { firstTokenAtMs } = exchange;
  parts.observer.attempted({
    requestId: exchange.id,
    endpoint: exchange.endpoint,
    tenant: exchange.caller.tenant,
    backend: candidate.backend.name,
    model: candidate.model,
    asked: exchange.model,
    policy: exchange.policy,
    attempt: exchange.attempts === 1 ? 'first' : 'retry',
    result: failure?.error.row.type ?? 'ok',
    error: failure?.error,
    durationMs: nowMs - startedMs,
    connectMs: exchange.timings.connectMs,
    broke: isBroken ? (resumed ? 'continuation' : 'stream') : undefined,
    firstTokenMs: firstTokenAtMs === undefined || firstTokenAtMs < startedMs ? undefined : firstTokenAtMs - startedMs,
    lostTokens: lostTokens(exchange, failure),
    foreseen: slot.charge.foreseen,
    cachedTokens: exchange.usage?.cachedInputTokens,
  });
}

/** No connection is no connection for every model on that box. */
function blameOtherMembers({ candidate }: Slot): void {
  for (const member of candidate.state.members.values()) {
    if (member !== candidate.memberState) member.circuit.blame();
  }
}

function learn(
  parts: AftermathParts,
  { exchange, request }: Delivery,
  { candidate }: Slot,
  failure: AttemptFailure,
): void {
  const nowMs = parts.clock.now();
  const { judgement } = failure;
  const { memberState } = candidate;
  switch (judgement?.verdict) {
    case 'busy':
    case 'loading':
      memberState.holdOff = holdOff(judgement.verdict, nowMs, failure.retryAfterMs);
      break;
    // Whatever time such an answer tells, it is not one after which the fleet's key is right.
    case 'misconfigured':
      memberState.holdOff = holdOff(judgement.verdict, nowMs, undefined);
      break;
    case 'wrong-model':
      memberState.holdOff = holdOff(judgement.verdict, nowMs, undefined);
      parts.rediscovery.refresh(candidate.backend.name);
      break;
    case 'unsupported': {
      const capability = judgement.capability ?? (judgement.missingRoute === true ? request.endpoint : undefined);
      if (capability === undefined || !request.needs.includes(capability) || memberState.proven.has(capability)) break;
      memberState.unable.set(capability, nowMs + unableMs);
      break;
    }
    case 'overflow':
      // A member whose size is unknown gives nothing to compare with, so nobody counts as larger.
      exchange.largerThanTokens = candidate.member.contextTokens ?? Infinity;
      break;
    default:
      break;
  }
}

function holdOff(why: HoldOff['why'], nowMs: number, retryAfterMs: number | undefined): HoldOff {
  const ms = Math.min(maxHoldOffMs, retryAfterMs ?? guessedMs[why]);
  return { why, untilMs: nowMs + ms, told: retryAfterMs !== undefined && ms > 0 };
}
