// `shared_state` in the words of fleet.yaml. A URL is shown without the user and the database that it may have had.
import type { RedisServers, SharedStateSettings } from '../fleet/shared-state.ts';
import { formatAddress } from './addresses.ts';
import { effectiveClientTls, masked, type Written } from './effective-values.ts';
import { present } from './present.ts';

export function effectiveSharedState(state: SharedStateSettings): Written {
  const { tls } = state;
  return {
    ...serversOf(state.servers),
    ...present({
      username: state.username,
      password: masked(state.password),
      database: state.database,
      tls: tls && effectiveClientTls(tls),
    }),
    prefix: state.prefix,
    replicas: state.replicas,
    on_failure: state.onFailure,
  };
}

function serversOf(servers: RedisServers): Written {
  switch (servers.kind) {
    case 'single':
      return { redis: `redis://${formatAddress(servers.address)}` };
    case 'cluster':
      return { cluster: { nodes: servers.nodes.map(formatAddress) } };
    case 'sentinel': {
      const { primary, sentinels, username, password } = servers;
      const user = present({ username, password: masked(password) });
      return { sentinel: { primary, nodes: sentinels.map(formatAddress), ...user } };
    }
    default:
      return servers satisfies never;
  }
}
