// What a member gets that has come back: a tenth of its capacity first, all of it `routing.slow_start` later. Its caches are
// cold and its graphs not captured yet, and everybody who waited would fall on it at once. Computed from when it came back;
// one that has never been away has no such time, so nothing is slow when the router or a backend is new.
import type { Candidate } from '../selection/policy.ts';

const firstShare = 0.1;

/** 0.1 to 1. What has come back twice, its health and its circuit, gets the smaller share. */
export function shareOf({ state, memberState, slowStartMs }: Candidate, nowMs: number): number {
  if (state.backSinceMs === undefined && memberState.backSinceMs === undefined) return 1;
  const share = (sinceMs: number | undefined) =>
    sinceMs === undefined || nowMs >= sinceMs + slowStartMs
      ? 1
      : firstShare + ((1 - firstShare) * (nowMs - sinceMs)) / slowStartMs;
  return Math.min(share(state.backSinceMs), share(memberState.backSinceMs));
}

/** How many requests may be in flight there now, at least one. */
export function roomOf(candidate: Candidate, nowMs: number): number {
  // A share that is due exactly now may be a rounding error below it.
  return Math.max(1, Math.floor(candidate.maxInFlight * shareOf(candidate, nowMs) + 1e-9));
}

/** When there is room for one more somewhere without anything having ended; undefined: nobody is coming back. */
export function roomGrowsAtMs(candidates: readonly Candidate[], nowMs: number): number | undefined {
  const times = candidates.flatMap((candidate) => growsAtMs(candidate, nowMs) ?? []);
  return times.length === 0 ? undefined : Math.min(...times);
}

function growsAtMs(candidate: Candidate, nowMs: number): number | undefined {
  const { state, memberState, slowStartMs, maxInFlight } = candidate;
  const wanted = (roomOf(candidate, nowMs) + 1) / maxInFlight;
  if (shareOf(candidate, nowMs) === 1 || !(wanted <= 1)) return undefined;
  const reachedMs = (sinceMs = -Infinity) => sinceMs + (slowStartMs * (wanted - firstShare)) / (1 - firstShare);
  return Math.max(reachedMs(state.backSinceMs), reachedMs(memberState.backSinceMs));
}
