// The port behind which a limit of requests in flight is learnt: one per backend. See admission/learnt-limit for the one in use.

export interface InFlightLimit {
  /** At least 1. */
  readonly value: number;
  /** Takes one answer that went well, at its end. */
  learn(served: Served): void;
  /** The backend itself said that it is full. */
  refused(asked: Pick<Served, 'startedMs' | 'inFlight'>, nowMs: number): void;
}

/** What one answer tells about how busy its backend was. */
export interface Served {
  readonly startedMs: number;
  /** To the first token; undefined for a plain answer, where nobody sees it. */
  readonly firstTokenMs: number | undefined;
  readonly totalMs: number;
  /** That had to be read: those from a cache had not. */
  readonly promptTokens: number;
  readonly outputTokens: number;
  /** How many were in flight there when it began, itself included. */
  readonly inFlight: number;
}
