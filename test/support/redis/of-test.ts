// Redis servers, clients and proxies that live as long as one test, whether it passes or fails.
import { Redis, type RedisOptions as AllClientOptions } from 'ioredis';
import { afterEach } from 'vitest';
import { type Cluster, type ClusterOptions, startCluster } from './cluster.ts';
import type { RedisServer } from './redis-process.ts';
import { type Sentinels, startSentinels } from './sentinel.ts';
import { startRedis, type StartRedis } from './server.ts';
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts';

/** Less one whose type does not fit the constructor's own. */
export type ClientOptions = Omit<AllClientOptions, 'replyMapping'>;

export interface RedisOfTest {
  readonly startRedis: StartRedis;
  readonly startSentinels: () => Promise<Sentinels>;
  readonly startCluster: (options: ClusterOptions) => Promise<Cluster>;
  readonly startTcpProxy: (url: string) => Promise<TcpProxy>;
  /** A client that swallows its `error` events: what matters rejects a command. */
  readonly connect: (server: Pick<RedisServer, 'url' | 'clientOptions'>, options?: ClientOptions) => Redis;
  /** Ends at the end whatever else a test makes: a client of a cluster or of sentinels. */
  readonly use: <T extends Client>(client: T) => T;
}

export interface Client {
  on(event: 'error', listener: () => void): unknown;
  disconnect(): void;
}

/** Call at the top of a test file; with `afterAll`, what it starts lives as long as the file. */
export function redisOfTest(atEnd: (end: () => Promise<void>) => void = afterEach): RedisOfTest {
  const clients: Client[] = [];
  const proxies: TcpProxy[] = [];
  // Those that start while the test fails are ended as well.
  const servers: Promise<RedisServer>[] = [];
  atEnd(async () => {
    for (const client of clients.splice(0)) client.disconnect();
    await Promise.all(proxies.splice(0).map((proxy) => proxy.close()));
    const started = await Promise.allSettled(servers.splice(0));
    const left = started.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    await Promise.all(left.map((server) => server.dispose()));
  });
  const start: StartRedis = (options) => {
    const server = startRedis(options);
    servers.push(server);
    return server;
  };
  const use: RedisOfTest['use'] = (client) => {
    client.on('error', () => {});
    clients.push(client);
    return client;
  };
  return {
    startRedis: start,
    startSentinels: () => startSentinels(start),
    startCluster: (options) => startCluster(start, options),
    async startTcpProxy(url) {
      const proxy = await startTcpProxy(url);
      proxies.push(proxy);
      return proxy;
    },
    connect: ({ url, clientOptions }, options) => use(new Redis(url, { ...clientOptions, ...options })),
    use,
  };
}
