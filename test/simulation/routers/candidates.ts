// Simulated backends as candidates of the production policies: up, in rotation, and known to have so much memory.
import { engines } from '../../../src/engines/index.ts';
import type { Candidate } from '../../../src/selection/policy.ts';
import { aCandidate } from '../../support/candidates.ts';
import { model } from './asks.ts';

export interface CandidateWishes {
  readonly kvTokens: number;
  /** Set for llama.cpp; others are vLLM. */
  readonly slots?: number;
}

/** One per weight; the index of its state is its place. */
export function candidatesOf(weights: readonly number[], { kvTokens, slots }: CandidateWishes): readonly Candidate[] {
  return weights.map((weight, index) => {
    const candidate = aCandidate({ name: `b${index}`, weight });
    const reading = { running: 0, waiting: 0, kvTokens };
    const signals = { ...candidate.state.signals, load: { reading, atMs: 0, everyMs: 1000 } };
    return {
      ...candidate,
      model,
      engine: slots === undefined ? engines.vllm : engines.llamacpp,
      maxInFlight: slots ?? Infinity,
      state: { ...candidate.state, index, signals },
    };
  });
}
