// Switchyard with everything on: keys, limits in memory or in Redis, circuits, metrics, and the access log to a file.
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { findRedis } from '../../support/redis/binaries.ts';
import { howToInstall } from '../../support/redis/how-to-install.ts';
import { RedisServer } from '../../support/redis/redis-process.ts';
import { Started } from '../processes.ts';
import { chatPath, type Subject } from '../subject.ts';

const root = resolve(import.meta.dirname, '../../..');
const key = 'sk-bench-0123456789';
const enough = 1_000_000_000;

export interface SwitchyardWishes {
  readonly name: string;
  readonly redis?: true;
  readonly workers?: number;
  /** Backends beside those that are there: never chosen, but looked at. */
  readonly backends?: number;
}

export function switchyard({ name, redis, workers = 1 }: SwitchyardWishes): Subject {
  return {
    name,
    about: `${workers} worker${workers === 1 ? '' : 's'}, keys, limits ${redis ? 'in Redis' : 'in memory'}, circuits, metrics, access log to a file`,
    async start({ engines, port, dir, cores }) {
      const server = redis ? await RedisServer.start(await redisBinary()) : undefined;
      const fleet = {
        version: 1,
        server: { listen: `127.0.0.1:${port}`, workers },
        admin: { listen: 'off' },
        auth: {
          keys: [
            {
              tenant: 'bench',
              key: '${BENCH_KEY}',
              limits: { requests_per_minute: enough, tokens_per_minute: enough, concurrent: 100_000 },
            },
          ],
        },
        ...(server === undefined ? {} : { shared_state: { redis: server.url } }),
        backends: engines.map((url, n) => ({ name: `engine-${n}`, engine: 'vllm', url })),
        logging: { level: 'info', format: 'json', access: 'all' },
      };
      writeFileSync(join(dir, 'fleet.yaml'), JSON.stringify(fleet));
      const command = `exec node src/main.ts serve --config ${dir}/fleet.yaml 2>${dir}/access.log`;
      const process = new Started({
        command: 'sh',
        args: ['-c', command],
        cwd: root,
        env: { BENCH_KEY: key },
        ...(cores === undefined ? {} : { cores }),
      });
      return {
        url: `http://127.0.0.1:${port}${chatPath}`,
        headers: { authorization: `Bearer ${key}` },
        process,
        stop: async () => {
          await process.stop();
          await server?.dispose();
        },
      };
    },
  };
}

async function redisBinary(): Promise<string> {
  const binary = await findRedis();
  if (binary === undefined) throw new Error(howToInstall);
  return binary;
}
