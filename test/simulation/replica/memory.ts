// Where a replica keeps the keys and values of what it computes. Two kinds: pages shared by prefix, and slots.

/** What asks for memory: `chain` names its full prompt blocks, each name standing for the whole prefix up to there. */
export interface Wanted {
  readonly chain: readonly number[];
  /** Prompt tokens. */
  readonly input: number;
  /** Tokens to be generated in all. */
  readonly output: number;
}

/** Held by one running sequence; given back exactly once. */
export interface Hold {
  /** Prompt tokens found cached when it was taken; never the whole prompt. */
  readonly cachedTokens: number;
  /** The first `tokens` of the prompt are computed now and may be found by others. */
  computed(tokens: number): void;
  /** Room for `tokens` in all; false: there is none, and nothing has changed. */
  grow(tokens: number): boolean;
  release(): void;
}

export interface Memory {
  /** Undefined: it has to wait until something is released. `generated`: what was generated before a preemption. */
  take(wanted: Wanted, generated: number): Hold | undefined;
  /** Whether it could ever be taken. */
  fits(wanted: Wanted): boolean;
  /** Prompt tokens that would be found cached now. */
  cachedTokens(wanted: Wanted): number;
  /** Share held by running sequences, 0 to 1. */
  readonly use: number;
  /** As after a restart. Only when nothing is held. */
  clear(): void;
}
