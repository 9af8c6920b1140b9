// What a balancing policy is: it says in which order to try, and nothing else.
import type { Counters } from '../admission/counters.ts';
import { shareOf } from '../admission/slow-start.ts';
import type { Clock } from '../clock.ts';
import type { InferenceFields } from '../endpoints/endpoint.ts';
import type { Engine } from '../engines/engine.ts';
import type { BackendState, MemberState } from '../fleet/backend-state.ts';
import type { Member } from '../fleet/catalogue.ts';
import type { Backend, Timeouts } from '../fleet/fleet.ts';
import type { CandidateCosts } from './placement/candidates.ts';
import type { Charge } from './placement/charge.ts';
import type { Job } from './placement/placement.ts';

/** A member with everything an attempt on it needs; built when a snapshot is published. */
export interface Candidate {
  /** Canonical name. */
  readonly model: string;
  readonly backend: Backend;
  readonly member: Member;
  readonly engine: Engine;
  readonly state: BackendState;
  readonly memberState: MemberState;
  readonly timeouts: Timeouts;
  /** Most requests in flight on its backend, as things stand; Infinity when neither the fleet file nor the backend says. */
  readonly maxInFlight: number;
  /** How long it gets less than that after it has come back; see admission/slow-start. */
  readonly slowStartMs: number;
}

/** What a policy may know of a request. */
export interface Ask {
  readonly tenant: string;
  readonly fields: InferenceFields;
  readonly body: Buffer;
  /** Estimates; an answer's is what is usual, not what is allowed. */
  readonly promptTokens: number;
  readonly answerTokens: number;
  /** By model, what a policy has worked out, once it has: a request that waits is looked at again and again. */
  jobs?: Map<string, Job>;
}

export interface Policy {
  readonly name: string;
  /** Pure but for the policy's own turn-taking, synchronous; best first. Takes the eligible candidates, at least one. */
  rank(candidates: readonly Candidate[], ask: Ask): readonly Candidate[];
  /**
   * The first of what `rank` would answer of those that are acceptable, where it can be found without a ranking. It looks
   * closely at few: undefined says that it has not found one, not that there is none. Left out where only a ranking tells.
   */
  best?(candidates: readonly Candidate[], acceptable: (candidate: Candidate) => boolean): Candidate | undefined;
  /** What `rank` would answer, without a turn being taken; left out where `rank` takes none. */
  foresee?(candidates: readonly Candidate[], ask: Ask): readonly Candidate[];
  /** What it goes by, smaller is better; left out where it goes by no number. Changes nothing. */
  score?(candidate: Candidate, ask: Ask): number;
  /** What the score is made of, in a few words for people. Changes nothing. */
  detail?(candidate: Candidate, ask: Ask): string;
  /** To be told who has got it; left out where that changes nothing. The slot ends the charge. */
  book?(candidate: Candidate, ask: Ask): Charge;
  /** The rule in a few words, for people: `the smallest (in flight + 1) / weight`. */
  readonly goesBy: string;
}

export interface PolicyParts {
  readonly inFlight: Counters;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** What policies know of costs, whatever the model; left out: each has its own. */
  readonly costs?: CandidateCosts;
}

/** Made once per model and snapshot. */
export type PolicyMaker = (parts: PolicyParts) => Policy;

/** What another request would cost here: requests in flight and recent failures, over relative capacity. */
export function connectionCost(
  candidate: Candidate,
  { inFlight, clock }: PolicyParts,
  nowMs: number = clock.now(),
): number {
  const failures = candidate.memberState.failures.at(nowMs);
  return (inFlight.read(candidate.state.index) + 1 + failures) / weightOf(candidate, nowMs);
}

/** Relative capacity; less for one that has just come back. */
export function weightOf(candidate: Candidate, nowMs: number): number {
  return candidate.backend.weight * shareOf(candidate, nowMs);
}
