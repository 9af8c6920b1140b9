// One round of a probe: all that it asks for at once, and how the first of it went.
import type { ProbeAnswer } from '../engines/engine.ts';
import type { Backend } from '../fleet/fleet.ts';
import type { Connections } from './connections.ts';
import { get, type ProbeReason } from './probe.ts';
import { problemOf } from './unwell.ts';

export interface Question {
  readonly connections: Connections;
  readonly backend: Backend;
  readonly paths: readonly string[];
  readonly timeoutMs: number;
  readonly ended: AbortSignal;
}

export interface Answers {
  /** In the order of the paths; undefined: none came. */
  readonly answers: readonly (ProbeAnswer | undefined)[];
  /** Of the first path. */
  readonly failure: ProbeReason | undefined;
  /** The same in a few words for people. */
  readonly problem: string | undefined;
}

export async function ask({ connections, backend, paths, timeoutMs, ended }: Question): Promise<Answers> {
  const probed = await Promise.all(paths.map((path) => get(connections, backend, path, timeoutMs, ended)));
  const [first] = probed;
  return {
    answers: probed.map((one) => ('answer' in one ? one.answer : undefined)),
    failure: first === undefined ? undefined : 'failure' in first ? first.failure : badStatus(first.answer),
    problem: first === undefined ? undefined : problemOf(first, paths[0] ?? ''),
  };
}

function badStatus({ status }: ProbeAnswer): 'status' | undefined {
  return status >= 400 ? 'status' : undefined;
}
