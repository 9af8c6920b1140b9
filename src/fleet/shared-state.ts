// Where replicas count together what they must not exceed together, decoded: one Redis, sentinels, or a cluster.
import type { Address } from './fleet.ts';

export interface SharedStateSettings {
  readonly servers: RedisServers;
  readonly username?: string;
  readonly password?: string;
  /** Always 0 in a cluster. */
  readonly database: number;
  /** Absent: no TLS. */
  readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: string; readonly serverName?: string };
  /** In front of every key; without braces, which would decide about the slot in a cluster. */
  readonly prefix: string;
  /** How many replicas there are at least, for as long as fewer were heard of. */
  readonly replicas: number;
  /** What limits are worth while Redis does not answer: a share of each per replica, nothing, or a refusal. */
  readonly onFailure: 'local' | 'open' | 'closed';
}

export type RedisServers =
  | { readonly kind: 'single'; readonly address: Address }
  | {
      readonly kind: 'sentinel';
      /** The name the sentinels know the primary by. */
      readonly primary: string;
      readonly sentinels: readonly Address[];
      readonly username?: string;
      readonly password?: string;
    }
  | { readonly kind: 'cluster'; readonly nodes: readonly Address[] };
