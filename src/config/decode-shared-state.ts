// `shared_state` as the schema read it, with its secrets → as the fleet has it. The cross-checks have passed.
import type { RedisServers, SharedStateSettings } from '../fleet/shared-state.ts';
import { sharedStateDefaults } from './defaults.ts';
import { present } from './present.ts';
import type { RedisSecrets } from './redis-secrets.ts';
import type { SharedStateEntry } from './schema-shared-state.ts';

/** Absent where no server is named, which the cross-checks refuse. */
export function decodeSharedState(entry: SharedStateEntry, secrets: RedisSecrets): SharedStateSettings | undefined {
  const { redis, tls } = entry;
  const servers = serversOf(entry, secrets);
  if (!servers) return undefined;
  const { ca, cert, key } = secrets;
  return {
    ...sharedStateDefaults,
    servers,
    ...present({
      username: redis?.username ?? entry.username,
      password: redis?.password ?? secrets.password,
      database: redis?.database ?? entry.database,
      tls: redis?.tls === true || tls ? present({ ca, cert, key, serverName: tls?.server_name }) : undefined,
      prefix: entry.prefix,
      replicas: entry.replicas,
      onFailure: entry.on_failure,
    }),
  };
}

function serversOf({ redis, sentinel, cluster }: SharedStateEntry, secrets: RedisSecrets): RedisServers | undefined {
  if (redis) return { kind: 'single', address: redis.address };
  if (cluster) return { kind: 'cluster', nodes: cluster.nodes };
  return (
    sentinel && {
      kind: 'sentinel',
      primary: sentinel.primary,
      sentinels: sentinel.nodes,
      ...present({ username: sentinel.username, password: secrets.sentinelPassword }),
    }
  );
}
