// Real servers behind a real router, all of them child processes; the fleet file is the short form: nothing but URLs.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { RouterProcess } from '../support/router-process.ts';
import { startLlamaServer } from './llama-server.ts';
import { startOllama } from './ollama.ts';
import type { ServerProcess } from './server-process.ts';

export const apiKey = 'YOUR_API_KEY';
export const names = { chat: 'gemma', embeddings: 'gemma-embedding', ollama: 'gemma-in-ollama' } as const;

export interface RealFleet {
  readonly router: RouterProcess;
  readonly chatA: ServerProcess;
  readonly chatB: ServerProcess;
  readonly embeddings: ServerProcess;
  readonly get: (path: string) => Promise<Response>;
  readonly post: (path: string, body: unknown, signal?: AbortSignal) => Promise<Response>;
  /** The labels of each series of a metric, with its value. */
  readonly metric: (name: string) => Promise<readonly (readonly [labels: string, value: number])[]>;
  readonly stop: () => Promise<void>;
}

export interface RealFleetOptions {
  /** What the server for embeddings announces; another name than the others' unless said. */
  readonly embeddingsAlias?: string;
  readonly withOllama?: boolean;
  /** Lines at the end of the fleet file; none unless said. */
  readonly more?: string;
}

type Stop = () => Promise<unknown>;

export async function startRealFleet(options: RealFleetOptions = {}): Promise<RealFleet> {
  const stops: Stop[] = [];
  const stop = async (): Promise<void> => {
    for (const end of stops.splice(0).toReversed()) await end();
  };
  try {
    return await start(options, stops, stop);
  } catch (cause) {
    await stop();
    throw cause;
  }
}

async function start(options: RealFleetOptions, stops: Stop[], stop: () => Promise<void>): Promise<RealFleet> {
  const { embeddingsAlias = names.embeddings, withOllama = false, more = '' } = options;
  const llama = async (alias: string, embeddings = { embeddings: false }): Promise<ServerProcess> => {
    const server = await startLlamaServer({ alias, ...embeddings });
    stops.push(() => server.kill());
    return server;
  };
  const chatA = await llama(names.chat);
  const chatB = await llama(names.chat);
  const embeddings = await llama(embeddingsAlias, { embeddings: true });
  const urls = [chatA, chatB, embeddings].map(({ url }) => url);
  if (withOllama) {
    const ollama = await startOllama(names.ollama);
    stops.push(ollama.stop);
    urls.push(ollama.server.url);
  }
  const router = await startRouter({ urls, more }, stops);
  const headers = { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' };
  const get: RealFleet['get'] = (path) => fetch(router.url + path, { headers });
  return {
    router,
    chatA,
    chatB,
    embeddings,
    get,
    post: (path, body, signal) =>
      fetch(router.url + path, {
        method: 'POST',
        headers,
        body: JSON.stringify(body),
        ...(signal === undefined ? {} : { signal }),
      }),
    async metric(name) {
      const lines = (await (await get('/metrics')).text()).split('\n').filter((line) => line.startsWith(`${name}{`));
      return lines.map((line) => [
        line.slice(name.length, line.lastIndexOf(' ')),
        Number(line.slice(line.lastIndexOf(' '))),
      ]);
    },
    stop,
  };
}

async function startRouter(
  { urls, more }: { readonly urls: readonly string[]; readonly more: string },
  stops: Stop[],
): Promise<RouterProcess> {
  const directory = mkdtempSync(join(tmpdir(), 'switchyard-real-'));
  stops.push(async () => rmSync(directory, { recursive: true }));
  const file = join(directory, 'fleet.yaml');
  writeFileSync(file, `version: 1\nbackends:\n${urls.map((url) => `  - url: ${url}\n`).join('')}${more}`);
  const router = new RouterProcess(['serve', '--config', file, '--listen', '127.0.0.1:0'], {
    env: { API_KEYS: apiKey },
  });
  stops.push(() => router.kill());
  await router.when(({ stdout }) => stdout.includes('Clients:') && stdout.endsWith('\n'));
  while ((await fetch(`${router.url}/readyz`)).status !== 200) await wait(100);
  return router;
}
