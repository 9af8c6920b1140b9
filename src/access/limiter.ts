// The port through which allowances are taken, and the implementation for one replica: everything in memory, exact.
import type { Clock } from '../clock.ts';
import type { Caller } from './keyring.ts';
import { Ledger } from './ledger.ts';
import { isUnlimited, type Rule, type Rules } from './rules.ts';
import { type Verdicts, ungranted } from './verdicts.ts';

/** Tokens; a request counts as one in any case. */
export interface Cost {
  readonly inputTokens: number;
  readonly outputTokens: number;
}

/** What is expected beforehand: output tokens are those of one answer. */
export interface Estimate extends Cost {
  /** Absent: one. */
  readonly answers?: number;
}

export interface Ask {
  readonly caller: Caller;
  /** Canonical name. */
  readonly model: string;
  /** Corrected when the grant is settled. */
  readonly cost: Estimate;
}

/** Held from before the first attempt until after the last byte. The first of `settle` and `refund` ends it. */
export interface Grant {
  /** What the answer tells the caller about its limits. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Whether tokens are counted, so that a stream must tell them. */
  readonly countsTokens: boolean;
  /** Decided without the other replicas. */
  readonly degraded: boolean;
  /** Books what it really cost. */
  settle(actual: Cost): void;
  /** Gives all of it back, the request itself included: no backend has answered. */
  refund(): void;
}

export interface RateLimiter {
  /** @throws GatewayError `rate_limit_exceeded` with the time to come back, or `limiter_unavailable`. */
  take(ask: Ask): Promise<Grant>;
}

/** How much of a limit is used, as far as this replica knows. */
export interface LimitLevels {
  used(rule: Rule): number;
}

/** For one replica; of several threads each gives the ledger they share. */
export function createLimiter(clock: Clock, verdicts: Verdicts, ledger = new Ledger(clock)): RateLimiter & LimitLevels {
  return {
    used: (rule) => ledger.used(rule),
    async take({ caller, model, cost }) {
      const rules = caller.rules(model);
      if (isUnlimited(rules)) return ungranted;
      const reserved = reservation(rules, cost);
      const reading = ledger.take(rules, reserved);
      if (!reading.granted) throw verdicts.refusal(rules, reserved, reading);
      return grantOf(verdicts.granted(rules, reading), rules, (actual) => ledger.end(rules, reserved, actual));
    },
  };
}

/** What is taken before anything is known: each answer capped, because most end long before `max_tokens`. */
export function reservation({ maxReservedOutputTokens }: Rules, cost: Estimate): Cost {
  const { inputTokens, outputTokens, answers = 1 } = cost;
  return { inputTokens, outputTokens: answers * Math.min(outputTokens, maxReservedOutputTokens) };
}

/** `end` runs once: with what it cost, or with nothing for a refund. */
export function grantOf(
  shown: Pick<Grant, 'headers' | 'degraded'>,
  { countsTokens }: Rules,
  end: (actual: Cost | undefined) => void,
): Grant {
  let ended = false;
  const once = (actual: Cost | undefined) => {
    if (ended) return;
    ended = true;
    end(actual);
  };
  return { ...shown, countsTokens, settle: once, refund: () => once(undefined) };
}
