// What one inference server costs, in seconds. The constants are fitted to published measurements (the table and its sources
// are in traces/README.md): they are there to rank policies, not to foretell a GPU.

export interface Profile {
  readonly name: string;
  /** Least time of a step, seconds. */
  readonly s0: number;
  /** Seconds per token computed in a step. */
  readonly cp: number;
  /** Seconds per computed token and token of context before it. */
  readonly ca: number;
  /** Seconds per decoding sequence in a step. */
  readonly s1: number;
  /** Seconds per token of context read by a decoding sequence. */
  readonly s2: number;
  readonly kvTokens: number;
  /** Tokens one step may compute. */
  readonly budgetTokens: number;
  readonly maxSequences: number;
  /** Set for servers whose cache is tied to a slot, one conversation each (llama.cpp, Ollama). */
  readonly slots?: number;
}

export const profiles = {
  '8b-a100': {
    name: '8B on A100-80',
    s0: 0.0105,
    cp: 1 / 14_500,
    ca: 3.4e-9,
    s1: 30e-6,
    s2: 0.125e-6,
    kvTokens: 400_000,
    budgetTokens: 2048,
    maxSequences: 256,
  },
  '8b-h100': {
    name: '8B on H100',
    s0: 0.0072,
    cp: 1 / 27_000,
    ca: 1.3e-9,
    s1: 30e-6,
    s2: 0.076e-6,
    kvTokens: 400_000,
    budgetTokens: 8192,
    maxSequences: 256,
  },
  '70b-4xa100': {
    name: '70B on 4 x A100',
    s0: 0.0425,
    cp: 1 / 4600,
    ca: 3.8e-9,
    s1: 120e-6,
    s2: 0.16e-6,
    kvTokens: 400_000,
    budgetTokens: 2048,
    maxSequences: 256,
  },
  'llamacpp-8b-q4': {
    name: '8B Q4 on llama.cpp, 4 slots',
    s0: 0.012,
    cp: 1 / 2500,
    ca: 1e-8,
    s1: 4e-3,
    s2: 0.4e-6,
    kvTokens: 4 * 16_384,
    budgetTokens: 2048,
    maxSequences: 4,
    slots: 4,
  },
} satisfies Record<string, Profile>;

export type ProfileName = keyof typeof profiles;

/** One step's work. */
export interface StepWork {
  /** Prompt tokens computed. */
  readonly prefill: number;
  /** Sequences that get one token each. */
  readonly decoding: number;
  /** Σ over prompt chunks of chunk x context, tokens². The context of a chunk is its middle's. */
  readonly chunkContext: number;
  /** Σ over decoding sequences of their context, tokens. */
  readonly decodeContext: number;
}

/** T = max(s0, cp·(pf + dec)) + ca·Σ chunk·ctx + s1·dec + s2·Σ ctx_dec + 1 ms, in seconds; faster by `speed`. */
export function stepSeconds(profile: Profile, work: StepWork, speed = 1): number {
  const computed = Math.max(profile.s0, profile.cp * (work.prefill + work.decoding));
  const attention = profile.ca * work.chunkContext + profile.s2 * work.decodeContext;
  return (computed + attention + profile.s1 * work.decoding + 0.001) / speed;
}
