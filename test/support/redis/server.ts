// Starts a Redis of a test's own, from what the run found on the machine. Through redisOfTest() in of-test.ts it also
// ends with the test.
import { inject } from 'vitest';
import { howToInstall } from './how-to-install.ts';
import { RedisServer } from './redis-process.ts';
import type { RedisOptions } from './settings.ts';

export type StartRedis = (options?: RedisOptions) => Promise<RedisServer>;

/** Resolves when it accepts connections. @throws Error that says what to install when there is no redis-server. */
export async function startRedis(options: RedisOptions = {}): Promise<RedisServer> {
  const binary = options.binary ?? inject('redisServerBinary');
  if (binary === undefined) throw new Error(howToInstall);
  return RedisServer.start(binary, options);
}
