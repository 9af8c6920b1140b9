// The mock engine as a process beside the load.
import { join } from 'node:path';
import type { EngineWishes } from '../bench.ts';
import { onRest, Started } from '../processes.ts';

export interface Engine {
  /** Base addresses, as many as were wished for; all are one process. */
  readonly urls: readonly string[];
  stop(): Promise<void>;
}

/** Two backends: with one there is nothing to choose. */
export const usual: EngineWishes = { rate: 50, events: 1_500, hosts: 2 };

export async function startEngine({ rate, events, hosts }: EngineWishes): Promise<Engine> {
  const options = ['--rate', String(rate), '--events', String(events), '--hosts', String(hosts)];
  const engine = new Started({
    command: 'node',
    args: [join(import.meta.dirname, 'engine.ts'), ...options],
    ...onRest,
  });
  const [, said = ''] = await engine.said(/^(http.*) all\n/);
  return { urls: said.split(' '), stop: () => engine.stop() };
}
