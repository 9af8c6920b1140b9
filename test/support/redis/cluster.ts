// A Redis cluster of a test's own, put together with its own commands, so that redis-server alone is needed. It gives a
// node up after a second.
import type { RedisServer } from './redis-process.ts';
import { infoOf, listOf, textOf } from './replies.ts';
import type { StartRedis } from './server.ts';
import { until } from './until.ts';

const slotCount = 16_384;
/** A primary refuses for two seconds after its start. */
const agreeWithinMs = 15_000;

export interface ClusterOptions {
  readonly primaries: number;
  readonly replicasEach?: 0 | 1;
}

export interface Cluster {
  /** As ioredis takes them. */
  readonly nodes: readonly { readonly host: string; readonly port: number }[];
  /** The primaries first, each with an equal part of the slots in turn; then their replicas in the same order. */
  readonly servers: readonly RedisServer[];
  readonly slotOf: (key: string) => Promise<number>;
  /** As the first node sees it that answers; of a replica only after it took over. */
  readonly ownerOf: (slot: number) => Promise<RedisServer>;
  /** Half a move: from now on the old owner answers ASK for keys of the slot that it does not hold. */
  readonly openMove: (slot: number, to: RedisServer) => Promise<void>;
  /** Moves a slot with its keys; from then on the old owner answers MOVED. */
  readonly moveSlot: (slot: number, to: RedisServer) => Promise<void>;
}

/** Resolves when every node says that the cluster is complete. */
export async function startCluster(
  start: StartRedis,
  { primaries: count, replicasEach = 0 }: ClusterOptions,
): Promise<Cluster> {
  const launch = (n: number): Promise<RedisServer[]> =>
    Promise.all(Array.from({ length: n }, () => start({ cluster: true })));
  const primaries = await launch(count);
  const replicas = await launch(count * replicasEach);
  const servers = [...primaries, ...replicas];
  await Promise.all(servers.map((node, index) => node.command('CLUSTER', 'SET-CONFIG-EPOCH', index + 1)));
  await Promise.all(primaries.map((node, index) => node.command('CLUSTER', 'ADDSLOTS', ...part(index, count))));
  const [first, ...others] = servers;
  if (first === undefined) throw new Error('a cluster needs a primary');
  for (const { port } of others) await first.command('CLUSTER', 'MEET', '127.0.0.1', port);
  await agreed(servers);
  await Promise.all(replicas.map((replica, index) => follow(replica, primaries[index])));
  // Until then a primary may not know yet that it has a replica, and clients that ask it neither.
  await Promise.all(
    primaries.map((node) => until('primaries know replicas', agreeWithinMs, () => has(node, replicasEach))),
  );
  return { nodes: servers.map(({ port }) => ({ host: '127.0.0.1', port })), servers, ...slotsOf(servers) };
}

function slotsOf(servers: readonly RedisServer[]): Pick<Cluster, 'slotOf' | 'ownerOf' | 'openMove' | 'moveSlot'> {
  const answering = (): RedisServer[] => servers.filter((one) => one.answers);
  const ask = (...command: readonly [string, ...string[]]): Promise<unknown> =>
    Promise.any(answering().map((one) => one.command(...command)));

  const ownerOf = async (slot: number): Promise<RedisServer> => {
    const owner = portOf(await ask('CLUSTER', 'SLOTS'), slot);
    const found = servers.find(({ port }) => port === owner);
    if (found === undefined) throw new Error(`nobody has slot ${slot}`);
    return found;
  };
  const openMove = async (slot: number, to: RedisServer): Promise<void> => {
    const from = await ownerOf(slot);
    const [fromId, toId] = await Promise.all([idOf(from), idOf(to)]);
    await to.command('CLUSTER', 'SETSLOT', slot, 'IMPORTING', fromId);
    await from.command('CLUSTER', 'SETSLOT', slot, 'MIGRATING', toId);
  };
  return {
    slotOf: async (key) => Number(await ask('CLUSTER', 'KEYSLOT', key)),
    ownerOf,
    openMove,
    async moveSlot(slot, to) {
      const from = await ownerOf(slot);
      await openMove(slot, to);
      const keys = listOf(await from.command('CLUSTER', 'GETKEYSINSLOT', slot, 1_000_000)).map(textOf);
      if (keys.length > 0) await from.command('MIGRATE', '127.0.0.1', to.port, '', 0, 5_000, 'KEYS', ...keys);
      const id = await idOf(to);
      // The new owner first: were the old one to forget it before, nobody would have it.
      for (const node of [to, from]) await node.command('CLUSTER', 'SETSLOT', slot, 'NODE', id);
      await until('all nodes know the new owner', agreeWithinMs, async () => {
        const tables = await Promise.all(answering().map((node) => node.command('CLUSTER', 'SLOTS')));
        return tables.every((table) => portOf(table, slot) === to.port);
      });
    },
  };
}

function portOf(table: unknown, slot: number): unknown {
  const ranges = listOf(table).map(listOf);
  const range = ranges.find(([from, to]) => Number(from) <= slot && slot <= Number(to));
  return range === undefined ? undefined : listOf(range[2])[1];
}

function part(index: number, count: number): readonly number[] {
  const from = Math.floor((slotCount * index) / count);
  const end = Math.floor((slotCount * (index + 1)) / count);
  return Array.from({ length: end - from }, (_, n) => from + n);
}

async function agreed(servers: readonly RedisServer[]): Promise<void> {
  const complete = async (node: RedisServer): Promise<boolean> => {
    const info = infoOf(await node.command('CLUSTER', 'INFO'));
    return (
      info.get('cluster_state') === 'ok' &&
      info.get('cluster_slots_ok') === String(slotCount) &&
      info.get('cluster_known_nodes') === String(servers.length)
    );
  };
  await Promise.all(servers.map((node) => until('the cluster is complete', agreeWithinMs, () => complete(node))));
}

async function follow(replica: RedisServer, primary: RedisServer | undefined): Promise<void> {
  if (primary === undefined) throw new Error('a replica needs a primary');
  await replica.command('CLUSTER', 'REPLICATE', await idOf(primary));
  await until('a replica is in sync', agreeWithinMs, async () => {
    const info = infoOf(await replica.command('INFO', 'replication'));
    return info.get('master_link_status') === 'up';
  });
}

async function has(primary: RedisServer, replicas: number): Promise<boolean> {
  return listOf(await primary.command('CLUSTER', 'REPLICAS', await idOf(primary))).length === replicas;
}

async function idOf(node: RedisServer): Promise<string> {
  return textOf(await node.command('CLUSTER', 'MYID'));
}
