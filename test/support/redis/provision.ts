// Vitest's global setup of all projects whose tests need Redis: what this machine has, or can be made to have, found once
// per run and shared by the projects. Never a skip: without any Redis the run fails and says what to install.
import { Redis } from 'ioredis';
import type { TestProject } from 'vitest/node';
import { findRedis, findValkey, say } from './binaries.ts';
import { startContainers } from './containers.ts';
import { howToInstall } from './how-to-install.ts';
import { RedisServer } from './redis-process.ts';

export interface SharedServer {
  readonly name: 'redis' | 'valkey';
  readonly url: string;
}

declare module 'vitest' {
  interface ProvidedContext {
    /** Redis, and Valkey where it can be had, for tests that share them: each keeps to keys with a prefix of its own. */
    sharedServers: readonly SharedServer[];
    /** For tests that need a server of their own; undefined only where the shared ones come from elsewhere. */
    redisServerBinary: string | undefined;
    valkeyServerBinary: string | undefined;
  }
}

interface Provision {
  readonly sharedServers: readonly SharedServer[];
  readonly redisServerBinary: string | undefined;
  readonly valkeyServerBinary: string | undefined;
  readonly stop: () => Promise<void>;
}

/** Every project loads this file anew, so what they share hangs on the process. */
const shared = globalThis as { switchyardRedis?: { users: number; provision: Promise<Provision> } };

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const state = (shared.switchyardRedis ??= { users: 0, provision: provide() });
  const { sharedServers, redisServerBinary, valkeyServerBinary, stop } = await state.provision;
  state.users += 1;
  project.provide('sharedServers', sharedServers);
  project.provide('redisServerBinary', redisServerBinary);
  project.provide('valkeyServerBinary', valkeyServerBinary);
  return async () => {
    state.users -= 1;
    if (state.users > 0) return;
    delete shared.switchyardRedis;
    await stop();
  };
}

async function provide(): Promise<Provision> {
  const containers = await containersOrNone();
  const given = containers.length === 0 ? process.env['TEST_REDIS_URL'] : undefined;
  const redisServerBinary = await findRedis();
  const valkeyServerBinary = await findValkey();
  const own: RedisServer[] = [];
  const start = async (name: SharedServer['name'], binary: string): Promise<SharedServer> => {
    const server = await RedisServer.start(binary);
    own.push(server);
    return { name, url: server.url };
  };
  const sharedServers = containers.map(({ server }) => server);
  if (given !== undefined) await needAnswer(given);
  if (given !== undefined) sharedServers.push({ name: 'redis', url: given });
  if (sharedServers.length === 0) {
    if (redisServerBinary === undefined) throw new Error(howToInstall);
    sharedServers.push(await start('redis', redisServerBinary));
  }
  if (containers.length === 0 && valkeyServerBinary !== undefined)
    sharedServers.push(await start('valkey', valkeyServerBinary));
  const valkey = sharedServers.some(({ name }) => name === 'valkey') ? 'and Valkey' : 'Valkey is not offered here';
  const source = containers.length > 0 ? 'in containers' : given === undefined ? redisServerBinary : 'TEST_REDIS_URL';
  say(`${source}, ${valkey}`);
  return {
    sharedServers,
    redisServerBinary,
    valkeyServerBinary,
    async stop() {
      await Promise.all([...own.map((server) => server.dispose()), ...containers.map(({ stop }) => stop())]);
    },
  };
}

async function containersOrNone(): ReturnType<typeof startContainers> {
  try {
    return await startContainers();
  } catch (cause) {
    say(`${cause instanceof Error ? cause.message : String(cause)}; goes on without containers`);
    return [];
  }
}

/** What somebody named must be used, not quietly replaced. */
async function needAnswer(url: string): Promise<void> {
  const client = new Redis(url, { lazyConnect: true, maxRetriesPerRequest: 0, retryStrategy: () => null });
  client.on('error', () => {});
  try {
    await client.connect();
    await client.ping();
  } catch (cause) {
    throw new Error('TEST_REDIS_URL names a Redis that does not answer', { cause });
  } finally {
    client.disconnect();
  }
}
