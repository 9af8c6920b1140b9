// Where the real tests keep what they install, and the versions that are not in requirements.txt.
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '../..');
const cache = join(root, '.cache', 'real');
const environment = join(cache, 'python');
const ollamaVersion = 'v0.17.4';
const ollamaFolder = join(cache, `ollama-${ollamaVersion}`);

export const places = {
  cache,
  environment,
  requirements: join(import.meta.dirname, 'requirements.txt'),
  python: join(environment, 'bin', 'python'),
  model: join(cache, 'gemma-3-270m-q4_k_m.gguf'),
  ollamaVersion,
  ollamaFolder,
  ollama: join(ollamaFolder, 'ollama'),
} as const;
