// Switchyard with everything on: keys, limits in memory or in Redis, circuits, metrics, and the access log to a file.
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { run } from '../../real/run.ts';
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
  /** So many of the engine's addresses; all unless said. */
  readonly backends?: number;
  /** Open files are no reason to refuse: there are hardly enough for what is measured. */
  readonly openFiles?: 'off';
  /** Compiled, as it is shipped; else as its sources are. */
  readonly built?: true;
  /** Its heap can be looked at. */
  readonly inspect?: true;
}

/** The one that others are compared with. */
export const main = 'Switchyard';

export function switchyard({
  name,
  redis,
  workers = 1,
  backends,
  openFiles,
  built,
  inspect,
}: SwitchyardWishes): Subject {
  return {
    name,
    about: `${workers} worker${workers === 1 ? '' : 's'}, keys, limits ${redis ? 'in Redis, which is not counted' : 'in memory'}, circuits, metrics, access log to a file`,
    ...(built ? { install: build } : {}),
    async start({ engines, port, dir, cores }) {
      const server = redis ? await RedisServer.start(await redisBinary()) : undefined;
      const fleet = {
        version: 1,
        server: {
          listen: `127.0.0.1:${port}`,
          workers,
          ...(openFiles === undefined ? {} : { overload: { open_files: openFiles } }),
        },
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
        backends: engines.slice(0, backends).map((url, n) => ({ name: `engine-${n}`, engine: 'vllm', url })),
        logging: { level: 'info', format: 'json', access: 'all' },
      };
      writeFileSync(join(dir, 'fleet.yaml'), JSON.stringify(fleet));
      const flags = inspect ? '--inspect=127.0.0.1:0' : '';
      const program = built ? 'dist/main.js' : 'src/main.ts';
      const command = `exec node ${flags} ${program} serve --config ${dir}/fleet.yaml 2>${dir}/access.log`;
      const process = new Started({
        command: 'sh',
        args: ['-c', command],
        cwd: root,
        env: { BENCH_KEY: key },
        ...(cores === undefined ? {} : { cores }),
      });
      return {
        url: `http://127.0.0.1:${port}${chatPath}`,
        readyUrl: `http://127.0.0.1:${port}/readyz`,
        headers: { authorization: `Bearer ${key}` },
        logFile: `${dir}/access.log`,
        process,
        stop: async () => {
          await process.stop();
          await server?.dispose();
        },
      };
    },
  };
}

async function build(): Promise<void> {
  await run('npm', ['run', '--silent', '--prefix', root, 'build']);
}

async function redisBinary(): Promise<string> {
  const binary = await findRedis();
  if (binary === undefined) throw new Error(howToInstall);
  return binary;
}
