// Runs the scripts against a real server under a clock of the test's own: TIME is answered from an argument, everything
// else by the server.
import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { type ScriptName, scriptText } from '../../../src/redis/script-files.ts';

const ownClock = `
local server, own_ms = redis, tonumber(table.remove(ARGV))
local redis = {
  call = function(command, ...)
    if command == 'TIME' then
      local seconds = math.floor(own_ms / 1000)
      return { string.format('%.0f', seconds), string.format('%.0f', (own_ms - seconds * 1000) * 1000) }
    end
    return server.call(command, ...)
  end,
}
`;

export class ScriptBench {
  readonly redis: Redis;
  /** Of this bench alone. */
  readonly prefix = `test:${randomUUID()}:`;
  /** Unix milliseconds; far enough back for no key to expire by the server's own clock while a test runs. */
  nowMs = 1_700_000_000_000;

  constructor(url: string) {
    this.redis = new Redis(url);
  }

  run(name: ScriptName, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown> {
    return this.redis.eval(`${ownClock}\n${scriptText(name)}`, keys.length, ...keys, ...args, this.nowMs);
  }

  async close(): Promise<void> {
    const keys = await this.redis.keys(`${this.prefix}*`);
    if (keys.length > 0) await this.redis.del(...keys);
    await this.redis.quit();
  }
}
