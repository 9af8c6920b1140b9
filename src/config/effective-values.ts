// Values that several parts of the effective configuration have in common.
import type { Limits } from '../fleet/fleet.ts';
import type { BackendTls, ServerTls } from '../fleet/tls.ts';
import { present } from './present.ts';

/** Plain values under the names of fleet.yaml. */
export type Written = Readonly<Record<string, unknown>>;

/** In place of a secret that is there. */
export function masked(secret: unknown): '***' | undefined {
  return secret === undefined ? undefined : '***';
}

/** What the files held, not where they are. */
export function effectiveClientTls(tls: Omit<BackendTls, 'fingerprint'>): Written {
  return {
    ...present({ ca_file: masked(tls.ca), cert_file: masked(tls.cert), key_file: masked(tls.key) }),
    ...present({ server_name: tls.serverName }),
  };
}

export function effectiveServerTls(tls: ServerTls | undefined): Written | undefined {
  if (tls === undefined) return undefined;
  const { cert, key, clientCa } = tls;
  return { cert_file: masked(cert), key_file: masked(key), ...present({ client_ca_file: masked(clientCa) }) };
}

export function effectiveLimits(limits: Limits): Written {
  return present({
    requests_per_minute: limits.requestsPerMinute,
    tokens_per_minute: limits.tokensPerMinute,
    input_tokens_per_minute: limits.inputTokensPerMinute,
    output_tokens_per_minute: limits.outputTokensPerMinute,
    requests_per_day: limits.requestsPerDay,
    tokens_per_day: limits.tokensPerDay,
    concurrent: limits.concurrent,
    burst: limits.burst && present({ requests: limits.burst.requests, tokens: limits.burst.tokens }),
  });
}
