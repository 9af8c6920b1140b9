// What a reading of the counters means for the caller: headers, and the words of a refusal. Shared by every limiter.
import { GatewayError } from '../errors.ts';
import { costFor, fits, shareOf, waitMs, wholeMs } from './bucket.ts';
import { leasesOf, type Reading } from './ledger.ts';
import { type HeaderStyle, limitHeaders } from './limit-headers.ts';
import type { Cost, Grant } from './limiter.ts';
import type { LeaseRule, LimitName, RateRule, Rules } from './rules.ts';

/** `_degraded`: without the other replicas. `unavailable`: refused because Redis did not answer. */
export type Decision = 'allowed' | 'denied' | 'allowed_degraded' | 'denied_degraded' | 'unavailable';

export interface VerdictParts {
  /** Asked for each time: a reload may change it. */
  readonly headers: HeaderStyle;
  /** Called for each limit that allowed a request, or for the one that did not. */
  readonly decided: (tenant: string, limit: LimitName, decision: Decision) => void;
}

/** How a decision came about without Redis; absent: exactly. */
export type Degraded = 'local' | 'open';

export interface Verdicts {
  granted(rules: Rules, reading: Reading, degraded?: Degraded): Pick<Grant, 'headers' | 'degraded'>;
  refusal(rules: Rules, cost: Cost, reading: Reading, degraded?: Degraded): GatewayError;
  unavailable(rules: Rules): GatewayError;
}

/** Nothing is limited, so there is nothing to tell and nothing to end. */
export const ungranted: Grant = {
  headers: [],
  countsTokens: false,
  degraded: false,
  settle: () => {},
  refund: () => {},
};

export function createVerdicts(parts: VerdictParts): Verdicts {
  const { decided } = parts;
  const headersOf = (rules: Rules, reading: Reading, degraded: Degraded | undefined) => {
    const headers = limitHeaders(rules, reading, parts.headers);
    return degraded === undefined ? headers : [...headers, ['x-switchyard-limits', `degraded; ${degraded}`] as const];
  };
  return {
    granted(rules, reading, degraded) {
      const decision = degraded === undefined ? 'allowed' : 'allowed_degraded';
      for (const { name } of rules.rates) decided(rules.tenant, name, decision);
      for (const { name } of rules.leases) decided(rules.tenant, name, decision);
      return { headers: headersOf(rules, reading, degraded), degraded: degraded !== undefined };
    },
    refusal(rules, cost, reading, degraded) {
      const { rule, waitMs: wait } = binding(rules, cost, reading);
      decided(rules.tenant, rule.name, degraded === undefined ? 'denied' : 'denied_degraded');
      const retryMs = Math.max(1, wholeMs(wait));
      return new GatewayError('rate_limit_exceeded', words(rules, rule, retryMs), {
        limit: rule.name,
        limitsDegraded: degraded !== undefined,
        retryAfterSeconds: retryMs / 1000,
        headers: {
          ...Object.fromEntries(headersOf(rules, reading, degraded)),
          'retry-after-ms': String(retryMs),
          // The SDKs wait at most a minute as told; beyond, they would come back after seconds and be refused again.
          ...(retryMs > longestSdkWaitMs ? { 'x-should-retry': 'false' } : {}),
        },
      });
    },
    unavailable(rules) {
      for (const { name } of [...rules.rates, ...rules.leases]) decided(rules.tenant, name, 'unavailable');
      const message = `The limits of tenant "${rules.tenant}" can't be checked now: the shared state (Redis) does not answer.`;
      return new GatewayError('limiter_unavailable', message);
    },
  };
}

const longestSdkWaitMs = 60_000;
/** Nobody knows when a running request ends. */
const leaseWaitMs = 1_000;

interface Standing {
  readonly rule: RateRule | LeaseRule;
  readonly refuses: boolean;
  readonly waitMs: number;
}

/**
 * The limit that keeps the request out the longest. Redis may refuse by less than the digits it tells: then it is the one
 * with the least room.
 */
function binding(rules: Rules, cost: Cost, { used, held, share }: Reading): Standing {
  const rates = rules.rates.map((rule, n): Standing => {
    const [level, price, effective] = [used[n] ?? 0, costFor(rule, cost), shareOf(rule, share)];
    return { rule, refuses: !fits(level, price, effective), waitMs: waitMs(level, price, effective) };
  });
  const leases = rules.leases.map((rule, n): Standing => {
    const refuses = (held[n] ?? 0) >= leasesOf(rule.limit, share);
    return { rule, refuses, waitMs: refuses ? leaseWaitMs : 0 };
  });
  const [found] = [...rates, ...leases].toSorted(
    (a, b) => Number(b.refuses) - Number(a.refuses) || b.waitMs - a.waitMs,
  );
  if (found === undefined) throw new Error('refused without a limit');
  return found;
}

function words({ tenant }: Rules, { name, limit, scope, model }: RateRule | LeaseRule, retryMs: number): string {
  const onModel = model === undefined ? '' : ` for the model "${model}"`;
  const whose = scope === 'key' ? `this key of tenant "${tenant}"` : `tenant "${tenant}"${onModel}`;
  if (name === 'concurrent')
    return `The limit of ${limit} concurrent requests of ${whose} is reached. Try again when one of them has ended.`;
  return `The limit ${name} (${limit}) of ${whose} is used up. Try again in ${inWords(retryMs)}.`;
}

function inWords(ms: number): string {
  const seconds = Math.ceil(ms / 1000);
  if (seconds < 120) return `${seconds} s`;
  return seconds < 7200 ? `${Math.ceil(seconds / 60)} min` : `${Math.ceil(seconds / 3600)} h`;
}
