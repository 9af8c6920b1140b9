// Which members may take a request now. Pure: reads state, changes nothing.
import { isInRotation } from '../fleet/backend-state.ts';
import type { Capability } from '../fleet/capabilities.ts';
import { isInService, isOut, isPanicking } from './panic.ts';
import type { Candidate } from './policy.ts';

/** What of a request decides who may take it. */
export interface Requirements {
  readonly needs: readonly Capability[];
  /** Estimated prompt plus the caller's bound on the answer. */
  readonly contextTokens: number;
  /** Names of backends that have had their try. */
  readonly tried: ReadonlySet<string>;
  /** Set after an overflow: only members with more context than this. */
  readonly largerThanTokens?: number;
  /** See panic.ts. 1: who is out is never tried, not even when nobody else is left. */
  readonly panicRatio: number;
}

/** Better standings come first; a worse one is used only when nobody has a better one. */
const standings = { good: 0, 'held-off': 1, stalled: 2, unprobed: 3, ejected: 4 } as const;
type Standing = keyof typeof standings;

/** What keeps a member from a request. */
type Obstacle = 'tried' | 'out-of-service' | 'asked-for-time' | 'out' | 'not-larger' | 'unable';

/** Why a member does not take a request: an obstacle, a context that others have more of, or a standing that others better. */
export type Reason = Obstacle | 'small' | Standing;

/** How one looks at the members of a model right now. */
interface Look {
  readonly nowMs: number;
  /** See panic.ts. */
  readonly panicking: boolean;
  /** Without regard to who is out: one try may be spent on a member that is. */
  readonly blindly: boolean;
}

/** The members that can do what is needed, of the best standing there is. Empty: see `whyNobody`. */
export function eligible(candidates: readonly Candidate[], request: Requirements, nowMs: number): readonly Candidate[] {
  const look = lookFor(candidates, request, nowMs);
  const able = candidates.filter((candidate) => obstacleOf(candidate, request, look) === undefined);
  const fitting = fit(able, request.contextTokens);
  let best: number = standings.ejected;
  let chosen: Candidate[] = [];
  for (const candidate of fitting) {
    const rank = standings[standing(candidate, look)];
    if (rank > best) continue;
    if (rank < best) chosen = [];
    best = rank;
    chosen.push(candidate);
  }
  return chosen;
}

/**
 * Tells of one candidate whether it is surely among those that `eligible` would find, without a look at the others. Undefined
 * where that can't be told of one by itself: after a failure, or in a panic.
 */
export function surelyEligible(
  request: Requirements,
  nowMs: number,
  panicking: boolean,
): ((candidate: Candidate) => boolean) | undefined {
  if (panicking || request.tried.size > 0 || request.largerThanTokens !== undefined) return undefined;
  const look = { nowMs, panicking, blindly: false };
  return (candidate) =>
    obstacleOf(candidate, request, look) === undefined &&
    size(candidate) >= request.contextTokens &&
    standing(candidate, look) === 'good';
}

/** Those that `eligible` leaves out, and what has decided about each; in words: see why.ts. */
export function passedOver(
  candidates: readonly Candidate[],
  request: Requirements,
  nowMs: number,
): ReadonlyMap<Candidate, Reason> {
  const chosen = new Set(eligible(candidates, request, nowMs));
  const look = lookFor(candidates, request, nowMs);
  const able = candidates.filter((candidate) => obstacleOf(candidate, request, look) === undefined);
  const fitting = new Set(fit(able, request.contextTokens));
  const left = candidates.filter((candidate) => !chosen.has(candidate));
  return new Map(
    left.map((candidate) => [
      candidate,
      obstacleOf(candidate, request, look) ?? (fitting.has(candidate) ? standing(candidate, look) : 'small'),
    ]),
  );
}

function lookFor(candidates: readonly Candidate[], { panicRatio, tried }: Requirements, nowMs: number): Look {
  const panicking = isPanicking(candidates, panicRatio);
  // Who has had a failure already goes where it is likeliest to be served.
  return { nowMs, panicking, blindly: panicking && tried.size === 0 };
}

/** Whether a member is usable for anyone right now; what readiness and the breaker's last-member rule ask. */
export function isUsable(candidate: Candidate, nowMs: number): boolean {
  return whyUnusable(candidate, nowMs) === undefined;
}

export function whyUnusable(candidate: Candidate, nowMs: number): Reason | undefined {
  const look = { nowMs, panicking: false, blindly: false };
  const obstacle = obstacleOf(candidate, nothingNeeded, look);
  if (obstacle !== undefined) return obstacle;
  const found = standing(candidate, look);
  return found === 'good' ? undefined : found;
}

const nothingNeeded: Requirements = { needs: [], contextTokens: 0, tried: new Set(), panicRatio: 1 };

/** Known not to, by declaration or discovery, or because it has refused before. */
export function knownUnable(candidate: Candidate, need: Capability, nowMs: number): boolean {
  if (candidate.member.can[need] === false) return true;
  const until = candidate.memberState.unable.get(need);
  return until !== undefined && nowMs < until;
}

/**
 * Why `eligible` found nobody: `busy` when some said themselves when to come back (in `retryAfterMs`), else `gone`.
 */
export function whyNobody(
  candidates: readonly Candidate[],
  nowMs: number,
): { readonly reason: 'gone' } | { readonly reason: 'busy'; readonly retryAfterMs: number } {
  const untilMs = askableAgainMs(candidates, -Infinity);
  return untilMs === undefined ? { reason: 'gone' } : { reason: 'busy', retryAfterMs: Math.max(0, untilMs - nowMs) };
}

/** When the first of those that have asked to be left alone for longer than `afterMs` may be asked again. */
export function askableAgainMs(candidates: readonly Candidate[], afterMs: number): number | undefined {
  const times = candidates.flatMap(({ state, backend, memberState: { holdOff } }) =>
    state.health === 'up' && isInRotation(backend, state) && holdOff?.told === true && holdOff.untilMs > afterMs
      ? holdOff.untilMs
      : [],
  );
  return times.length === 0 ? undefined : Math.min(...times);
}

/** What keeps it from this request whoever else there is; undefined: nothing. */
function obstacleOf(candidate: Candidate, request: Requirements, { nowMs, panicking }: Look): Obstacle | undefined {
  if (request.tried.has(candidate.backend.name)) return 'tried';
  if (!isInService(candidate)) return 'out-of-service';
  const { state, memberState } = candidate;
  const { holdOff } = memberState;
  if (holdOff?.told === true && nowMs < holdOff.untilMs) return 'asked-for-time';
  // A panic doubts probes, but not probes and live traffic together: behind those a caller would only hang.
  if (state.health === 'down' && (!panicking || state.silence.stalled)) return 'out';
  if (request.panicRatio >= 1 && isOut(candidate)) return 'out';
  if (request.largerThanTokens !== undefined && size(candidate) <= request.largerThanTokens) return 'not-larger';
  return request.needs.some((need) => knownUnable(candidate, need, nowMs)) ? 'unable' : undefined;
}

function standing({ state, memberState }: Candidate, { nowMs, blindly }: Look): Standing {
  if (!blindly && (state.health === 'down' || !memberState.circuit.admits())) return 'ejected';
  if (!blindly && state.health === 'unknown') return 'unprobed';
  if (state.silence.stalled) return 'stalled';
  const { holdOff } = memberState;
  return holdOff !== undefined && nowMs < holdOff.untilMs ? 'held-off' : 'good';
}

/** An estimate never rejects: when nobody is known to be large enough, the largest get it and their answer stands. */
function fit(candidates: readonly Candidate[], contextTokens: number): readonly Candidate[] {
  const fitting = candidates.filter((candidate) => size(candidate) >= contextTokens);
  if (fitting.length > 0) return fitting;
  const largest = Math.max(...candidates.map(size));
  return candidates.filter((candidate) => size(candidate) === largest);
}

function size({ member }: Candidate): number {
  return member.contextTokens ?? Infinity;
}
