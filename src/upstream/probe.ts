// One free GET to a backend, read whole, within a time of its own. Never throws: no answer is an answer too.
import type { ProbeAnswer } from '../engines/engine.ts';
import type { Backend } from '../fleet/fleet.ts';
import { transportProblem } from '../fleet/problem.ts';
import type { Connections } from './connections.ts';
import { type TlsTrouble, tlsTroubleOf } from '../fleet/tls.ts';
import { codeOf, headerMap } from './call.ts';

/** Large enough for vLLM's openapi.json and metrics. */
const maxAnswerBytes = 8_388_608;

export type ProbeFailure = 'timeout' | 'refused' | 'broken' | 'too_large' | TlsTrouble;
/** `status`: it answered, with an error. `unreadable`: with something that tells nothing. */
export type ProbeReason = ProbeFailure | 'status' | 'unreadable';

/** `problem`: in a few words for people. */
export type Probed = { readonly answer: ProbeAnswer } | { readonly failure: ProbeFailure; readonly problem: string };

const timedOut: Probed = { failure: 'timeout', problem: 'timed out' };

export async function get(
  connections: Connections,
  backend: Backend,
  path: string,
  timeoutMs: number,
  ended: AbortSignal,
): Promise<Probed> {
  // Before a connection is asked for: the backend may have left, and nobody would close it.
  if (ended.aborted) return timedOut;
  const { dispatcher, prefix } = connections.to(backend);
  const signal = AbortSignal.any([AbortSignal.timeout(timeoutMs), ended]);
  const headers: Record<string, string> = { accept: '*/*', 'accept-encoding': 'identity', 'user-agent': 'switchyard' };
  if (backend.bearer !== undefined) headers.authorization = `Bearer ${backend.bearer}`;
  try {
    const response = await orAborted(
      dispatcher.request({ path: prefix + path, method: 'GET', headers, signal }),
      signal,
    );
    const chunks: Buffer[] = [];
    let bytes = 0;
    for await (const chunk of response.body) {
      if (!Buffer.isBuffer(chunk)) continue;
      bytes += chunk.length;
      if (bytes > maxAnswerBytes) return { failure: 'too_large', problem: 'answer above 8 MiB' };
      chunks.push(chunk);
    }
    return {
      answer: {
        status: response.statusCode,
        headers: headerMap(response.headers),
        body: Buffer.concat(chunks).toString('utf8'),
      },
    };
  } catch (cause) {
    if (signal.aborted) return timedOut;
    const code = cause instanceof Error ? codeOf(cause) : '';
    const failure = tlsTroubleOf(code) ?? (refusals.has(code) ? 'refused' : 'broken');
    return { failure, problem: transportProblem(code) };
  }
}

/** undici hears of an abort only once it has a connection, which may take as long as connecting may. */
function orAborted<Value>(answer: Promise<Value>, signal: AbortSignal): Promise<Value> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(new Error('aborted'));
    signal.addEventListener('abort', onAbort);
    if (signal.aborted) onAbort();
    answer.finally(() => signal.removeEventListener('abort', onAbort)).then(resolve, reject);
  });
}

const refusals = new Set([
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'UND_ERR_CONNECT_TIMEOUT',
]);
