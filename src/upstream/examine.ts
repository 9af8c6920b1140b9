// Asks one backend everything that the router would want of it, once: what runs there, whether it is well, what it serves,
// what it tells about its load, and, where that is wanted, one token. Judges nothing; that is for whoever shows it.
import type { Clock } from '../clock.ts';
import { detect, detectionPaths, versionFrom } from '../engines/detect.ts';
import type { DiscoveredModel, Health, LoadReading, Probe, ProbeAnswer } from '../engines/engine.ts';
import { type EngineName, engines } from '../engines/index.ts';
import type { Backend } from '../fleet/fleet.ts';
import type { Connections } from './connections.ts';
import { get, type ProbeFailure } from './probe.ts';
import { type Reach, reach } from './reach.ts';

export interface Examination {
  /** Absent where the backend has no URL. */
  readonly reach?: Reach;
  /** Of the first request; absent: it was answered, or never sent. */
  readonly failure?: ProbeFailure;
  /** What really answers; absent: nothing that is known. */
  readonly engine?: EngineName;
  readonly version?: string;
  /** A Switchyard, perhaps this very one. */
  readonly isRouter: boolean;
  /** Absent: never asked. */
  readonly health?: Health;
  /** Of the answer to the question for its health, where there was one. */
  readonly healthStatus?: number;
  /** Absent: it did not tell. */
  readonly models?: readonly DiscoveredModel[];
  /** Whether it takes the credential it is sent, or none where there is none; absent: it did not come to that. */
  readonly auth?: 'ok' | 'refused';
  /** `off`: this engine could tell its load, and does not. Absent: it can not. */
  readonly load?: LoadReading | 'off';
  /** One request and its answer on a connection that stood already. */
  readonly latencyMs?: number;
}

export interface ExamineParts {
  readonly connections: Connections;
  readonly clock: Clock;
  /** Left out: what suits each engine and each question. */
  readonly timeoutMs?: number;
}

const detectTimeoutMs = 2_000;
const never = new AbortController().signal;

export async function examine(backend: Backend, parts: ExamineParts): Promise<Examination> {
  const reached =
    backend.url === undefined ? undefined : await reach(backend.url, backend.tls, backend.timeouts.connectMs);
  const found = { ...(reached === undefined ? {} : { reach: reached }), isRouter: false };
  if (reached !== undefined && !(reached.dns.ok && reached.tcp?.ok === true)) return found;
  const ask = (path: string, timeoutMs: number) =>
    get(parts.connections, backend, path, parts.timeoutMs ?? backend.probe.timeoutMs ?? timeoutMs, never);
  const first = await ask('/v1/models', detectTimeoutMs);
  if ('failure' in first) return { ...found, failure: first.failure };
  const startedMs = parts.clock.now();
  const again = await ask('/v1/models', detectTimeoutMs);
  const latencyMs = parts.clock.now() - startedMs;
  const askAll = (paths: readonly string[], timeoutMs: number) =>
    Promise.all(paths.map(async (path) => answerOf(await ask(path, timeoutMs))));
  const read = async <Reading>(probe: Probe<Reading>) => {
    const answers = await askAll(probe.paths, probe.timeoutMs);
    return { reading: probe.read(answers), answers };
  };
  const [, ...others] = detectionPaths;
  const answers = [answerOf(again) ?? first.answer, ...(await askAll(others, detectTimeoutMs))];
  const engine = detect(answers);
  // What a fleet file says is asked even where something else answers: that is what the router would do.
  const asked = backend.engine === 'auto' ? engine : backend.engine;
  const version = engine === undefined ? undefined : versionFrom(engine, answers);
  const about = {
    ...found,
    latencyMs,
    ...(engine === undefined ? {} : { engine }),
    ...(version === undefined ? {} : { version }),
    isRouter: first.answer.headers['x-switchyard-attempts'] !== undefined,
    ...(isRefusal(first.answer) ? { auth: 'refused' as const } : {}),
  };
  if (asked === undefined) return about;
  const { probes } = engines[asked];
  const [health, models, load] = await Promise.all([
    read(probes.health),
    read(probes.models),
    probes.load === undefined ? undefined : read<LoadReading | undefined>(probes.load),
  ]);
  const { status } = health.answers[0] ?? {};
  return {
    ...about,
    health: health.reading,
    auth: isRefusal(models.answers[0]) || health.reading === 'misconfigured' ? 'refused' : 'ok',
    ...(status === undefined ? {} : { healthStatus: status }),
    ...(models.reading === undefined ? {} : { models: models.reading }),
    ...(load === undefined ? {} : { load: load.reading ?? ('off' as const) }),
  };
}

function answerOf(probed: Awaited<ReturnType<typeof get>>): ProbeAnswer | undefined {
  return 'answer' in probed ? probed.answer : undefined;
}

function isRefusal(answer: ProbeAnswer | undefined): boolean {
  return answer?.status === 401 || answer?.status === 403;
}
