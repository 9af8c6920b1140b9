// Ollama with the small model under a name of its own, its files in a directory that goes with it.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { places } from './places.ts';
import { run } from './run.ts';
import { ServerProcess } from './server-process.ts';

export interface Ollama {
  readonly server: ServerProcess;
  readonly stop: () => Promise<void>;
}

export async function startOllama(model: string): Promise<Ollama> {
  const home = mkdtempSync(join(tmpdir(), 'switchyard-ollama-'));
  const remove = (): void => rmSync(home, { recursive: true, force: true });
  const env = { HOME: home, OLLAMA_MODELS: join(home, 'models'), GIN_MODE: 'release' };
  try {
    const server = await ServerProcess.start({
      command: places.ollama,
      args: ['serve'],
      env: { ...env, OLLAMA_HOST: '127.0.0.1:0' },
      listening: /msg="Listening on 127\.0\.0\.1:(\d+)/,
      healthPath: '/api/version',
    });
    const stop = async (): Promise<void> => {
      await server.stop();
      remove();
    };
    try {
      const modelfile = join(home, 'Modelfile');
      writeFileSync(modelfile, `FROM ${places.model}\nPARAMETER num_ctx 2048\n`);
      await run(places.ollama, ['create', model, '--file', modelfile], { ...env, OLLAMA_HOST: server.url });
      return { server, stop };
    } catch (cause) {
      await stop();
      throw cause;
    }
  } catch (cause) {
    remove();
    throw cause;
  }
}
