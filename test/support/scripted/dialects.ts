// Every engine the double can imitate.
import type { Dialect, EngineKind } from './dialect.ts';
import { llamacpp } from './llamacpp.ts';
import { localai } from './localai.ts';
import { ollama } from './ollama.ts';
import { openai } from './openai.ts';
import { sglang } from './sglang.ts';
import { tgi } from './tgi.ts';
import { vllm } from './vllm.ts';

export const dialects = { vllm, sglang, tgi, ollama, llamacpp, localai, openai } satisfies Record<EngineKind, Dialect>;
