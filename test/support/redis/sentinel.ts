// A primary, two replicas and three sentinels that watch them: they find a dead primary after about a second and
// have another within three or four.
import type { RedisServer } from './redis-process.ts';
import { fieldsOf, infoOf, listOf, textOf } from './replies.ts';
import type { StartRedis } from './server.ts';
import { until } from './until.ts';

const primaryName = 'switchyard';
const replicaCount = 2;
const sentinelCount = 3;
const quorum = 2;
const agreeWithinMs = 15_000;

export interface Sentinels {
  readonly primaryName: string;
  /** As ioredis takes them. */
  readonly sentinels: readonly { readonly host: string; readonly port: number }[];
  /** The data servers; the first was the primary at the start. */
  readonly servers: readonly RedisServer[];
  /** Its processes, to kill or freeze; in the order of `sentinels`. */
  readonly watchers: readonly RedisServer[];
  /** Whom the first sentinel that answers calls primary. */
  readonly primary: () => Promise<RedisServer>;
  /** Resolves with the one it killed, before anybody noticed. */
  readonly killPrimary: () => Promise<RedisServer>;
  /** Resolves when all sentinels that answer name another primary than `old`, and it takes writes. */
  readonly newPrimary: (old: RedisServer) => Promise<RedisServer>;
}

/** Resolves when the sentinels know each other and both replicas, and these are in sync. */
export async function startSentinels(start: StartRedis): Promise<Sentinels> {
  const first = await start();
  const replicas = await times(replicaCount, () => start({ replicaOf: first }));
  // A sentinel asks a replica again only after ten seconds, and would not promote what was not in sync before.
  await Promise.all(replicas.map((replica) => until('a replica is in sync', agreeWithinMs, () => inSync(replica))));
  const lines = [
    `sentinel monitor ${primaryName} 127.0.0.1 ${first.port} ${quorum}`,
    `sentinel down-after-milliseconds ${primaryName} 1000`,
    `sentinel failover-timeout ${primaryName} 3000`,
  ];
  const watchers = await times(sentinelCount, () => start({ sentinel: lines }));
  await Promise.all(watchers.map((one) => until('the sentinels agree', agreeWithinMs, () => seesAll(one))));
  const servers = [first, ...replicas];

  const primary = async (): Promise<RedisServer> => {
    const answers = watchers.filter((one) => one.answers).map((one) => primaryOf(one, servers));
    return Promise.any(answers);
  };
  return {
    primaryName,
    sentinels: watchers.map(({ port }) => ({ host: '127.0.0.1', port })),
    servers,
    watchers,
    primary,
    async killPrimary() {
      const killed = await primary();
      await killed.kill();
      return killed;
    },
    async newPrimary(old) {
      await until('all sentinels name another primary', agreeWithinMs, async () => {
        const named = await Promise.all(watchers.filter((one) => one.answers).map((one) => primaryOf(one, servers)));
        const [chosen] = named;
        if (chosen === undefined || named.some((one) => one !== chosen) || chosen === old) return false;
        return infoOf(await chosen.command('INFO', 'replication')).get('role') === 'master';
      });
      return primary();
    },
  };
}

async function primaryOf(sentinel: RedisServer, servers: readonly RedisServer[]): Promise<RedisServer> {
  const [, port] = listOf(await sentinel.command('SENTINEL', 'get-master-addr-by-name', primaryName)).map(textOf);
  const found = servers.find((server) => server.port === Number(port));
  if (found === undefined) throw new Error(`a sentinel names ${port}, which is none of the servers`);
  return found;
}

async function inSync(replica: RedisServer): Promise<boolean> {
  return infoOf(await replica.command('INFO', 'replication')).get('master_link_status') === 'up';
}

async function seesAll(sentinel: RedisServer): Promise<boolean> {
  const watched = fieldsOf(await sentinel.command('SENTINEL', 'master', primaryName));
  if (watched.get('flags') !== 'master') return false;
  if (watched.get('num-other-sentinels') !== String(sentinelCount - 1)) return false;
  const replicas = listOf(await sentinel.command('SENTINEL', 'replicas', primaryName)).map(fieldsOf);
  return (
    replicas.length === replicaCount &&
    replicas.every((one) => one.get('flags') === 'slave' && one.get('master-link-status') === 'ok')
  );
}

function times<T>(count: number, perform: () => Promise<T>): Promise<T[]> {
  return Promise.all(Array.from({ length: count }, perform));
}
