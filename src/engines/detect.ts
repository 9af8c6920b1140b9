// Tells which engine answers at a URL, from free GETs. Several engines imitate Ollama, so it comes
// late. An embeddings-only TEI server is not recognised: it has no `/v1/models` to route by.
import type { ProbeAnswer } from './engine.ts';
import type { EngineName } from './index.ts';
import { textOf } from '../wire/json-value.ts';
import { cardsFrom, objectFrom, pageOf } from './probe-answers.ts';

export const detectionPaths = [
  '/v1/models',
  '/.well-known/localai.json',
  '/props',
  '/info',
  '/model_info',
  '/version',
  '/',
  '/api/version',
] as const;

/** Answers in the order of `detectionPaths`. Undefined: nothing that answers is known to us. */
export function detect(answers: readonly (ProbeAnswer | undefined)[]): EngineName | undefined {
  const [list, localai, props, about, model, version, root, ollama] = answers;
  const cards = cardsFrom(list);
  const ownedBy = (owner: string) => cards?.some(({ card }) => card['owned_by'] === owner) === true;
  if (ownedBy('switchyard-simulated')) return 'simulated';
  if (objectFrom(localai) !== undefined) return 'localai';
  if (answers.some(isLlamaCpp) || ownedBy('llamacpp') || isLlamaCppRouter(props)) return 'llamacpp';
  if (objectFrom(about)?.['router'] === 'text-generation-router') return 'tgi';
  if (ownedBy('sglang') || objectFrom(model)?.['is_generation'] !== undefined) return 'sglang';
  // With a key that is missing or wrong only `/version` is left; other servers may have that path as well, so it
  // counts only beside vLLM's refusal.
  if (ownedBy('vllm') || (tellsVersion(version) && isVllmRefusal(list))) return 'vllm';
  if (pageOf(root)?.startsWith('Ollama is running') === true && tellsVersion(ollama)) return 'ollama';
  return cards === undefined ? undefined : 'openai';
}

/** Where each engine tells its version among the answers that `detect` goes by. */
export function versionFrom(engine: EngineName, answers: readonly (ProbeAnswer | undefined)[]): string | undefined {
  const [, , props, about, , version, , ollama] = answers.map(objectFrom);
  const told: Partial<Record<EngineName, unknown>> = {
    vllm: version?.['version'],
    localai: version?.['version'],
    tgi: about?.['version'],
    ollama: ollama?.['version'],
    llamacpp: props?.['build_info'],
  };
  const text = textOf(told[engine]);
  return text !== undefined && /^[\w.+-]{1,40}$/.test(text) ? text : undefined;
}

function isLlamaCpp(answer: ProbeAnswer | undefined): boolean {
  return answer?.headers['server'] === 'llama.cpp';
}

function isLlamaCppRouter(props: ProbeAnswer | undefined): boolean {
  return objectFrom(props)?.['role'] === 'router';
}

function tellsVersion(answer: ProbeAnswer | undefined): boolean {
  return textOf(objectFrom(answer)?.['version']) !== undefined;
}

function isVllmRefusal(list: ProbeAnswer | undefined): boolean {
  return list?.status === 401 && objectFrom({ ...list, status: 200 })?.['error'] === 'Unauthorized';
}
