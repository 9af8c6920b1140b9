// What an operator may say about the policy `least-cost`, as the fleet file has it, and what holds where nothing is said.

export interface LeastCostSettings {
  /** Whether it is remembered which backend has seen which prompt. */
  readonly prefix: boolean;
  /** Most that is remembered: 32 bytes for each 256 tokens, rounded down to a power of two. */
  readonly indexEntries: number;
  /** Time to the first token; what is expected to take longer counts more. */
  readonly ttftObjectiveMs: number;
  /** Up to so many backends are all compared, where there is one router; otherwise some of them. */
  readonly fullScan: number;
}

/** An index of 2^20 entries takes 32 MiB and knows 268 million tokens. */
export const leastCostDefaults: LeastCostSettings = {
  prefix: true,
  indexEntries: 2 ** 20,
  ttftObjectiveMs: 5_000,
  fullScan: 64,
};
