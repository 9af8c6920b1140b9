// What answers tell about limits: OpenAI's x-ratelimit-* headers, and the IETF's draft (draft-ietf-httpapi-ratelimit-headers-10).
import { type Effective, shareOf, wholeMs } from './bucket.ts';
import { leasesOf, type Reading } from './ledger.ts';
import type { RateRule, Rules } from './rules.ts';

export type HeaderStyle = 'openai' | 'ietf' | 'both';
type Headers = readonly (readonly [name: string, value: string])[];

export function limitHeaders(rules: Rules, reading: Reading, style: HeaderStyle): Headers {
  if (style === 'openai') return openai(rules, reading);
  if (style === 'ietf') return ietf(rules, reading);
  return [...openai(rules, reading), ...ietf(rules, reading)];
}

/** There is one set for requests and one for tokens, so each tells of the limit that has the least left. */
function openai({ rates }: Rules, reading: Reading): Headers {
  const headers: (readonly [string, string])[] = [];
  const tell = (what: 'requests' | 'tokens') => {
    let least: { readonly rule: RateRule; readonly left: Left } | undefined;
    for (const [n, rule] of rates.entries()) {
      if ((rule.counts === 'requests') !== (what === 'requests')) continue;
      const left = leftOf(reading.used[n] ?? 0, shareOf(rule, reading.share));
      if (least === undefined || left.remaining < least.left.remaining) least = { rule, left };
    }
    if (least === undefined) return;
    headers.push(
      [`x-ratelimit-limit-${what}`, String(least.rule.limit)],
      [`x-ratelimit-remaining-${what}`, String(least.left.remaining)],
      [`x-ratelimit-reset-${what}`, goDuration(least.left.fullInMs)],
    );
  };
  tell('requests');
  tell('tokens');
  return headers;
}

function ietf({ rates, leases }: Rules, { used, held, share }: Reading): Headers {
  const policies: string[] = [];
  const standings: string[] = [];
  for (const [n, rule] of rates.entries()) {
    const { remaining, fullInMs } = leftOf(used[n] ?? 0, shareOf(rule, share));
    const unit = rule.counts === 'requests' ? '' : ';qu="tokens"';
    const label = `"${rule.scope}.${rule.name}"`;
    policies.push(`${label};q=${rule.limit};w=${rule.windowSeconds}${unit}`);
    standings.push(`${label};r=${remaining};t=${Math.ceil(fullInMs / 1000 - 1e-6)}`);
  }
  for (const [n, { scope, name, limit }] of leases.entries()) {
    policies.push(`"${scope}.${name}";q=${limit};qu="concurrent-requests"`);
    standings.push(`"${scope}.${name}";r=${Math.max(0, leasesOf(limit, share) - (held[n] ?? 0))}`);
  }
  if (policies.length === 0) return [];
  return [
    ['ratelimit-policy', policies.join(', ')],
    ['ratelimit', standings.join(', ')],
  ];
}

interface Left {
  readonly remaining: number;
  readonly fullInMs: number;
}

function leftOf(used: number, { capacity, perMs }: Effective): Left {
  return { remaining: Math.max(0, Math.floor(capacity - used + 1e-6)), fullInMs: used / perMs };
}

/** As Go writes durations: `12ms`, `1.5s`, `6m0s`, `23h59m0s`. */
export function goDuration(ms: number): string {
  const whole = wholeMs(ms);
  if (whole === 0) return '0s';
  if (whole < 1000) return `${whole}ms`;
  const seconds = (whole % 60_000) / 1000;
  const minutes = Math.floor(whole / 60_000) % 60;
  const hours = Math.floor(whole / 3_600_000);
  if (hours > 0) return `${hours}h${minutes}m${seconds}s`;
  return minutes > 0 ? `${minutes}m${seconds}s` : `${seconds}s`;
}
