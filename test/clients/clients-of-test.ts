// Routers that live as long as one test, and the official clients pointed at them.
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import OpenAI, { type ClientOptions } from 'openai';
import { afterEach } from 'vitest';
import { type RouterWishes, type RunningRouter, startRouter } from '../support/running-router.ts';

export const imitated = ['vllm', 'sglang', 'tgi', 'ollama', 'llamacpp', 'localai'] as const;
export const kinds = ['simulated', ...imitated] as const;
export type Kind = (typeof kinds)[number];

export const model = 'test-model';
export const messages = [{ role: 'user' as const, content: 'Good morning' }];

/** Call at the top of a test file; what it returns starts a router. Stopping it proves that nothing is held. */
export function routersOfTest(): (wishes?: RouterWishes) => Promise<RunningRouter> {
  const routers: RunningRouter[] = [];
  afterEach(async () => {
    await Promise.all(routers.splice(0).map((router) => router.stop()));
  });
  return async (wishes) => {
    const router = await startRouter(wishes);
    routers.push(router);
    return router;
  };
}

/** One backend of a kind that serves `test-model` and can do everything its engine can. */
export function oneOf(kind: Kind): RouterWishes {
  // An SGLang tells of tools only by the parser it was started with, and the imitated one has none.
  if (kind === 'sglang') return { engines: [{ imitates: kind, backend: { capabilities: { tools: true } } }] };
  if (kind !== 'simulated') return { engines: [{ imitates: kind }] };
  const simulate = { models: [model], firstTokenMs: 0, tokensPerSecond: 1e6 };
  return { engines: [], others: [{ name: 'demo', engine: kind, simulate }] };
}

/** The official SDK. Without retries of its own, unless said. */
export function openaiOf({ url }: { readonly url: string }, options: ClientOptions = {}): OpenAI {
  return new OpenAI({ baseURL: `${url}/v1`, apiKey: 'sk-any', maxRetries: 0, ...options });
}

// The AI SDK would print what a completion has no use for.
globalThis.AI_SDK_LOG_WARNINGS = false;

/** A provider of the Vercel AI SDK. */
export function aiOf(
  { url }: { readonly url: string },
  options: Partial<Parameters<typeof createOpenAICompatible>[0]> = {},
) {
  return createOpenAICompatible({
    name: 'switchyard',
    baseURL: `${url}/v1`,
    includeUsage: true,
    supportsStructuredOutputs: true,
    ...options,
  });
}

export async function all<Item>(items: AsyncIterable<Item>): Promise<readonly Item[]> {
  const seen: Item[] = [];
  for await (const item of items) seen.push(item);
  return seen;
}

/** What a promise fails with; it must. */
export async function failureOf(promise: PromiseLike<unknown>): Promise<unknown> {
  let value: unknown;
  try {
    value = await promise;
  } catch (failure) {
    return failure;
  }
  throw new Error(`expected a failure, got ${JSON.stringify(value)}`);
}
