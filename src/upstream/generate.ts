// Has one backend generate one token, or embed one word: the only question that proves it can do what it is there for.
import type { Clock } from '../clock.ts';
import type { Verdict } from '../engines/engine.ts';
import { type EngineName, engines } from '../engines/index.ts';
import type { EndpointName } from '../fleet/capabilities.ts';
import type { Backend } from '../fleet/fleet.ts';
import { headerMap } from './call.ts';
import type { Connections } from './connections.ts';

export interface GenerationWish {
  /** The backend's own name for it. */
  readonly model: string;
  readonly engine: EngineName;
  readonly endpoint: EndpointName;
}

export type Generation =
  | { readonly ok: true; readonly ms: number }
  | { readonly ok: false; readonly status?: number; readonly verdict: Verdict | 'timeout' };

const mostBytes = 1_048_576;

const bodies: Readonly<Record<EndpointName, (model: string) => object>> = {
  'chat-completions': (model) => ({ model, max_tokens: 1, messages: [{ role: 'user', content: 'Hi' }] }),
  completions: (model) => ({ model, max_tokens: 1, prompt: 'Hi' }),
  embeddings: (model) => ({ model, input: 'Hi' }),
};

export async function generate(
  backend: Backend,
  { model, engine, endpoint }: GenerationWish,
  { connections, clock }: { readonly connections: Connections; readonly clock: Clock },
): Promise<Generation> {
  const { dispatcher, prefix } = connections.to(backend);
  const signal = AbortSignal.timeout(backend.timeouts.firstBytePlainMs);
  const headers: Record<string, string> = { 'content-type': 'application/json', 'accept-encoding': 'identity' };
  if (backend.bearer !== undefined) headers['authorization'] = `Bearer ${backend.bearer}`;
  const startedMs = clock.now();
  const spoken = engines[engine];
  try {
    const body = JSON.stringify(bodies[endpoint](model));
    const answer = await dispatcher.request({
      path: prefix + spoken.path(endpoint),
      method: 'POST',
      headers,
      body,
      signal,
    });
    const chunks: Buffer[] = [];
    let bytes = 0;
    for await (const chunk of answer.body) {
      if (!Buffer.isBuffer(chunk)) continue;
      bytes += chunk.length;
      if (bytes > mostBytes) return { ok: false, status: answer.statusCode, verdict: 'broken' };
      chunks.push(chunk);
    }
    const { verdict } = spoken.judge(
      answer.statusCode,
      headerMap(answer.headers),
      Buffer.concat(chunks).subarray(0, 65_536),
    );
    if (verdict === 'serve') return { ok: true, ms: clock.now() - startedMs };
    return { ok: false, status: answer.statusCode, verdict };
  } catch {
    return { ok: false, verdict: signal.aborted ? 'timeout' : 'broken' };
  }
}
