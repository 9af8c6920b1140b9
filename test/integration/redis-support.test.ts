// The Redis that tests start does what they rely on: it fails, comes back and fails over as told.
import { existsSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { Cluster, Redis } from 'ioredis';
import { describe, expect, inject, it } from 'vitest';
import { redisOfTest } from '../support/redis/of-test.ts';
import type { RedisServer } from '../support/redis/redis-process.ts';
import { infoOf } from '../support/redis/replies.ts';
import type { TcpProxy } from '../support/redis/tcp-proxy.ts';

const redis = redisOfTest();
const impatient = { commandTimeout: 200 };

describe('shared servers', () => {
  it.each(inject('sharedServers').map(({ name, url }) => [name, url] as const))('%s answers', async (_name, url) => {
    expect(await redis.use(new Redis(url)).ping()).toBe('PONG');
  });
});

describe('a Redis of a test', () => {
  it('answers nothing while frozen, and everything once thawed', async () => {
    const server = await redis.startRedis();
    const client = redis.connect(server, impatient);
    await client.set('key', 'value');
    server.freeze();
    await expect(client.get('key')).rejects.toThrow('timed out');
    server.thaw();
    expect(await redis.connect(server).get('key')).toBe('value');
  });

  it('is killed, and restarts empty on the same port as another process', async () => {
    const server = await redis.startRedis();
    const { pid, port } = server;
    await server.command('SET', 'key', 'value');
    await server.kill();
    expect(server.running).toBe(false);
    await expect(server.command('PING')).rejects.toThrow(/ECONNREFUSED|closed/);
    await server.restart();
    expect(server.port).toBe(port);
    expect(server.pid).not.toBe(pid);
    expect(await server.command('GET', 'key')).toBeNull();
  });

  it('ends frozen with its directory', async () => {
    const server = await redis.startRedis();
    const { pid } = server;
    server.freeze();
    await server.dispose();
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
    expect(existsSync(server.dir)).toBe(false);
  });

  it('tells why it does not start', async () => {
    await expect(redis.startRedis({ lines: ['no-such-setting 1'] })).rejects.toThrow(/no-such-setting/);
  });

  it('lets nobody in without its password', async () => {
    const server = await redis.startRedis({ auth: { password: 'secret' } });
    expect(await redis.connect(server).ping()).toBe('PONG');
    const stranger = redis.use(new Redis(server.port, '127.0.0.1', { enableReadyCheck: false }));
    await expect(stranger.ping()).rejects.toThrow('NOAUTH');
  });

  it('holds a user to the rules of the ACL, but not the test itself', async () => {
    const user = { name: 'router', rules: '~switchyard:* +@all -@dangerous' };
    const server = await redis.startRedis({ auth: { password: 'secret', user } });
    const client = redis.connect(server, { enableReadyCheck: false });
    await client.set('switchyard:key', 'value');
    await expect(client.get('other')).rejects.toThrow('NOPERM');
    await expect(client.flushall()).rejects.toThrow('NOPERM');
    expect(await server.command('DBSIZE')).toBe(1);
  });

  it('speaks TLS to clients that trust its authority', async () => {
    const server = await redis.startRedis({ tls: true });
    expect(server.url).toMatch(/^rediss:/);
    expect(await redis.connect(server).ping()).toBe('PONG');
    const suspicious = redis.use(new Redis(server.url, { lazyConnect: true, retryStrategy: () => null }));
    await expect(suspicious.connect()).rejects.toThrow(/certificate|closed/);
  });

  it('refuses writes when its memory is full', async () => {
    const server = await redis.startRedis({ maxMemoryBytes: 100_000 });
    await expect(server.command('SET', 'key', 'value')).rejects.toThrow('OOM');
  });

  it('follows another', async () => {
    const primary = await redis.startRedis({ auth: { password: 'secret' } });
    const replica = await redis.startRedis({ replicaOf: { port: primary.port, password: 'secret' } });
    await primary.command('SET', 'key', 'value');
    await expect.poll(() => replica.command('GET', 'key')).toBe('value');
  });

  const valkey = inject('valkeyServerBinary');
  it.each(valkey === undefined ? [] : [valkey])('may be a Valkey: %s', async (binary) => {
    const server = await redis.startRedis({ binary });
    expect(infoOf(await server.command('INFO', 'server')).get('server_name')).toBe('valkey');
  });
});

describe('sentinels', () => {
  it('name another primary when theirs is killed', async () => {
    const { sentinels, primaryName, killPrimary, newPrimary } = await redis.startSentinels();
    const client = redis.use(new Redis({ sentinels: [...sentinels], name: primaryName }));
    await client.set('before', 'value');
    await client.wait(2, 1_000);
    const killed = await killPrimary();
    const chosen = await newPrimary(killed);
    expect(chosen).not.toBe(killed);
    await expect.poll(() => client.set('after', 'value').catch(() => 'not yet'), { timeout: 5_000 }).toBe('OK');
    expect(await chosen.command('MGET', 'before', 'after')).toEqual(['value', 'value']);
  });
});

describe('a cluster', () => {
  const keys = Array.from({ length: 60 }, (_, n) => `key-${n}`);

  it('serves the keys of all its nodes, also while a slot moves and after', async () => {
    const { nodes, servers, slotOf, ownerOf, openMove, moveSlot } = await redis.startCluster({ primaries: 3 });
    const client = redis.use(new Cluster([...nodes]));
    await Promise.all(keys.map((key) => client.set(key, key)));
    for (const server of servers) expect(await server.command('DBSIZE')).toBeGreaterThan(0);
    const slot = await slotOf('key-0');
    const old = await ownerOf(slot);
    const to = servers.find((server) => server !== old);
    if (to === undefined) throw new Error('one node only');
    await openMove(slot, to);
    await expect(old.command('GET', '{key-0}-absent')).rejects.toThrow(`ASK ${slot} 127.0.0.1:${to.port}`);
    expect(await client.get('key-0')).toBe('key-0');
    await moveSlot(slot, to);
    expect(await ownerOf(slot)).toBe(to);
    await expect(old.command('GET', 'key-0')).rejects.toThrow('MOVED');
    expect(await Promise.all(keys.map((key) => client.get(key)))).toEqual(keys);
  });

  it('gives the slots of a killed primary to its replica', async () => {
    const { servers, ownerOf } = await redis.startCluster({ primaries: 3, replicasEach: 1 });
    const owner = await ownerOf(0);
    await owner.kill();
    await expect.poll(() => ownerOf(0).catch(() => owner), { timeout: 10_000 }).not.toBe(owner);
    expect(servers.indexOf(await ownerOf(0))).toBeGreaterThanOrEqual(3);
  });
});

describe('a proxy', () => {
  const started = async (): Promise<{ server: RedisServer; proxy: TcpProxy; client: Redis }> => {
    const server = await redis.startRedis({ auth: { password: 'secret' } });
    const proxy = await redis.startTcpProxy(server.url);
    const client = redis.use(new Redis(proxy.url, { retryStrategy: () => 50 }));
    await client.ping();
    return { server, proxy, client };
  };

  it.each([
    { delayMs: 100, roundTripMs: 200 },
    { delayMs: { toServer: 100, toClient: 0 }, roundTripMs: 100 },
    { delayMs: { toServer: 0, toClient: 100 }, roundTripMs: 100 },
  ])('delays by $delayMs', async ({ delayMs, roundTripMs }) => {
    const { proxy, client } = await started();
    proxy.delayMs = delayMs;
    const from = performance.now();
    const replies = [client.set('key', 'value'), client.get('key')];
    expect(await Promise.all(replies)).toEqual(['OK', 'value']);
    const tookMs = performance.now() - from;
    expect(tookMs).toBeGreaterThanOrEqual(roundTripMs - 1);
  });

  it('holds bytes while paused, and delivers them then', async () => {
    const { server, proxy, client } = await started();
    proxy.pause();
    const held = client.set('key', 'value');
    const another = redis.use(new Redis(proxy.url)).ping();
    expect(await Promise.race([another, wait(200, 'silence')])).toBe('silence');
    expect(await server.command('EXISTS', 'key')).toBe(0);
    proxy.resume();
    expect(await held).toBe('OK');
    expect(await another).toBe('PONG');
  });

  it('cuts connections, and takes new ones', async () => {
    const { proxy, client } = await started();
    const { promise: closed, resolve } = Promise.withResolvers<void>();
    client.once('close', resolve);
    proxy.cut();
    await closed;
    expect(await client.ping()).toBe('PONG');
    expect(proxy.openConnections).toBe(1);
  });
});
