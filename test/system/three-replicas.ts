// Three routers with one key's limits in one Redis.
import { limitedFleet } from '../support/limited-replicas.ts';
import { redisOfTest } from '../support/redis/of-test.ts';
import { systemTest } from './of-test.ts';

/** Call at the top of a test file. `start` adds another replica. */
export function threeReplicasTest() {
  const { startRedis } = redisOfTest();
  const { serve, file } = systemTest();
  return async (limits: string) => {
    const redis = await startRedis();
    const config = file(limitedFleet({ shared: `redis: "${redis.url}"`, limits }));
    const start = () => serve(['--config', config]);
    return { start, routers: await Promise.all([start(), start(), start()]) };
  };
}
