// The connection to Redis: one server, a primary found through sentinels, or a cluster. Set so that nothing waits:
// shared state is an optimisation, and losing it is an everyday event.
import { Cluster, Redis, type RedisOptions } from 'ioredis';
import type { SharedStateSettings } from '../fleet/shared-state.ts';
import type { Call } from './limit-calls.ts';
import { type ScriptName, scriptNames, scriptText } from './script-files.ts';

export interface Connection {
  readonly isCluster: boolean;
  /** Rejects at once when there is no connection. */
  run(script: ScriptName, call: Call): Promise<unknown>;
  /** Removes a member of a sorted set. */
  remove(key: string, member: string): Promise<unknown>;
  close(): void;
}

export interface ConnectionEvents {
  ready(): void;
  /** A connection did not come about, or broke. */
  failed(error: Error): void;
  /** Every connection is gone. */
  lost(): void;
}

export function connect(settings: SharedStateSettings, events: ConnectionEvents): Connection {
  const client = openClient(settings);
  client.on('error', (error: Error) => events.failed(error));
  client.on('ready', () => events.ready());
  client.on('close', () => events.lost());
  for (const name of scriptNames) client.defineCommand(commandOf(name), { lua: scriptText(name) });
  return {
    isCluster: client instanceof Cluster,
    run(script, { keys, args }) {
      const command: unknown = Reflect.get(client, commandOf(script));
      if (typeof command !== 'function') throw new Error(`no script ${script}`);
      return command.call(client, keys.length, ...keys, ...args);
    },
    remove: (key, member) => client.zrem(key, member),
    close: () => client.disconnect(),
  };
}

function commandOf(name: ScriptName): string {
  return `switchyard:${name}`;
}

/** Slower than this, and a connection that comes back would be found too late. */
const mostRetryMs = 1_000;

function retryMs(times: number): number {
  return Math.min(50 * 2 ** Math.min(times, 10), mostRetryMs) + Math.floor(Math.random() * 100);
}

function shared({ username, password, tls }: SharedStateSettings) {
  return {
    connectionName: 'switchyard',
    connectTimeout: 1_000,
    // A half-open connection is noticed by nothing else. There is no `commandTimeout`: scripts have a deadline of their own,
    // which first reads what lies in the socket, while that timer fires at once when our own loop was late.
    socketTimeout: 2_000,
    // Whatever was on its way when a connection ended is rejected then, not forgotten.
    maxRetriesPerRequest: 0,
    // A script that was sent may have run: sending it again by itself would charge twice.
    autoResendUnfulfilledCommands: false,
    enableReadyCheck: true,
    // 1 connects anew, which finds a new primary; 2 would also send the command again.
    reconnectOnError: (error: Error) => (/^(READONLY|LOADING|MASTERDOWN)/.test(error.message) ? (1 as const) : false),
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(tls === undefined ? {} : { tls: tlsOptions(tls) }),
  } satisfies RedisOptions;
}

function tlsOptions({ serverName, ...pem }: NonNullable<SharedStateSettings['tls']>) {
  return { ...pem, ...(serverName === undefined ? {} : { servername: serverName }) };
}

/** Reports failures by its `error` events, which somebody must listen to. */
export function openClient(settings: SharedStateSettings): Redis | Cluster {
  const { servers, database, tls } = settings;
  const common = shared(settings);
  if (servers.kind === 'cluster') {
    // Copies: the fleet is frozen, and these are the client's to change.
    const nodes = servers.nodes.map((node) => ({ ...node }));
    return new Cluster(nodes, {
      redisOptions: common,
      // The one inside redisOptions is ignored by a cluster.
      enableOfflineQueue: false,
      clusterRetryStrategy: retryMs,
      retryDelayOnFailover: 100,
      retryDelayOnClusterDown: 100,
      slotsRefreshTimeout: 1_000,
      slotsRefreshInterval: 5_000,
    });
  }
  const options = {
    ...common,
    db: database,
    // Without a connection a command fails at once instead of waiting for one.
    enableOfflineQueue: false,
    retryStrategy: retryMs,
  } satisfies RedisOptions;
  if (servers.kind === 'single') return new Redis({ ...options, ...servers.address });
  return new Redis({
    ...options,
    name: servers.primary,
    sentinels: servers.sentinels.map((node) => ({ ...node })),
    sentinelRetryStrategy: retryMs,
    sentinelCommandTimeout: 1_000,
    enableTLSForSentinelMode: tls !== undefined,
    ...(tls === undefined ? {} : { sentinelTLS: tlsOptions(tls) }),
    ...(servers.username === undefined ? {} : { sentinelUsername: servers.username }),
    ...(servers.password === undefined ? {} : { sentinelPassword: servers.password }),
  });
}
