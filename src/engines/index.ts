// Every engine a backend can run: adding one is a file and a line here.
import type { Engine } from './engine.ts';
import { llamacpp } from './llamacpp.ts';
import { localai } from './localai.ts';
import { ollama } from './ollama.ts';
import { openai } from './openai.ts';
import { sglang } from './sglang.ts';
import { simulated } from './simulated.ts';
import { tgi } from './tgi.ts';
import { vllm } from './vllm.ts';

export const engines = { vllm, sglang, tgi, ollama, llamacpp, localai, openai, simulated } satisfies Record<
  string,
  Engine
>;
export type EngineName = keyof typeof engines;
