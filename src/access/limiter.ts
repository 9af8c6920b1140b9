// The port through which allowances are taken, and the simplest implementation of it: no limits.
import type { Caller } from './keyring.ts';

export interface Cost {
  readonly inputTokens: number;
  readonly outputTokens: number;
}

export interface Ask {
  readonly caller: Caller;
  /** Canonical name. */
  readonly model: string;
  readonly requestId: string;
  /** An estimate, corrected by `settle`. */
  readonly cost: Cost;
}

export interface Grant {
  readonly requestId: string;
}

export interface RateLimiter {
  /** @throws GatewayError `rate_limit_exceeded` with the time to come back, or `limiter_unavailable`. */
  take(ask: Ask): Promise<Grant>;
  /** Books what it really cost. Exactly one of `settle` and `refund` ends a grant. */
  settle(grant: Grant, actual: Cost): void;
  /** Gives all of it back: no backend has answered. */
  refund(grant: Grant): void;
}

export const unlimited: RateLimiter = {
  take: ({ requestId }) => Promise.resolve({ requestId }),
  settle: () => {},
  refund: () => {},
};
