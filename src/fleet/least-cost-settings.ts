// What an operator may say about the policy `least-cost`, as the fleet file has it.

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
