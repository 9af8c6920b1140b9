// Reports of a fleet of any size with backends in every state, drawn from a seed: what `GET /fleet` would say of it.
import type { CircuitState } from '../../../src/fleet/circuit.ts';
import type {
  BackendReport,
  DecisionReport,
  FailureReport,
  FleetReport,
  ModelReport,
  TenantReport,
} from '../../../src/fleet/report.ts';
import { seededRandom } from '../seeded-random.ts';
import { aBackend, aModel, aReport, at, startMs } from '../a-report.ts';

export interface ReportWishes {
  readonly backends?: number;
  readonly nowMs?: number;
  readonly seed?: number;
}

const engines = ['vllm', 'vllm', 'vllm', 'sglang', 'sglang', 'llamacpp', 'ollama', 'tgi'];
const modelNames = ['llama-3.3-70b', 'qwen3-32b', 'qwen3-coder-30b', 'mistral-small-3.2', 'gpt-oss-120b', 'bge-m3'];
const troubles: readonly Partial<BackendReport>[] = [
  { state: 'down', health: 'down', problem: 'connection refused', last_change: { at: at(-12), what: 'down' } },
  {
    state: 'ejected',
    circuit: 'open',
    problem: '5 failures in a row',
    last_change: { at: at(-41), what: 'circuit open' },
  },
  { state: 'ejected', circuit: 'half_open', last_change: { at: at(-3), what: 'circuit half_open' } },
  { state: 'stalled', stalled: true, problem: 'silent for 25 s', last_change: { at: at(-25), what: 'stalled' } },
  {
    state: 'loading',
    health: 'loading',
    problem: 'HTTP 503 at /health',
    last_change: { at: at(-90), what: 'loading' },
  },
  { state: 'draining', admin_state: 'draining', last_change: { at: at(-600), what: 'draining' } },
  { state: 'disabled', admin_state: 'disabled', last_change: { at: at(-7_200), what: 'disabled' } },
  {
    state: 'misconfigured',
    health: 'misconfigured',
    problem: 'HTTP 401 at /v1/models',
    last_change: { at: at(-300), what: 'misconfigured' },
  },
  { state: 'asleep', health: 'asleep', last_change: { at: at(-1_800), what: 'asleep' } },
  { state: 'unknown', health: 'unknown', last_change: null, ttft_p50_ms: null, ttft_p95_ms: null, kv_cache: null },
];

/** Everything in it is of `nowMs`, so that one report after the other makes a fleet that lives. */
export function aBusyReport({ backends: count = 12, nowMs = Date.now(), seed = 7 }: ReportWishes = {}): FleetReport {
  const random = seededRandom(seed);
  const shift = (text: string) => new Date(Date.parse(text) - startMs + nowMs).toISOString();
  const backends = Array.from({ length: count }, (_, n) => busyBackend(n, count, random, shift));
  const seconds = Math.floor(nowMs / 1_000) % 86_400;
  const wave = (n: number) => 1 + 0.4 * Math.sin(n / 9) + 0.15 * random();
  const history = Array.from({ length: 60 }, (_, n) => wave(n + seconds / 10));
  const perSecond = count * 0.9;
  return aReport({
    now: shift(at(0)),
    switchyard: { version: '0.1.0', node: 'v24.21.0', started_at: shift(at(-93_600)) },
    attention: ['gpt-oss-120b has no usable backend'],
    config: {
      source: 'config/fleet.yaml',
      hash: '3f9c1a77b20e',
      loaded_at: shift(at(-3_600)),
      refused: {
        at: shift(at(-140)),
        problems: ['fleet.yaml:14:5: unknown key "wieght" (did you mean "weight"?) at backends[2]'],
      },
    },
    shared_state: { up: true, on_failure: 'local' },
    traffic: {
      requests: Math.floor(seconds * perSecond),
      failed: Math.floor(seconds * perSecond * 0.004),
      input_tokens: Math.floor(seconds * perSecond * 410),
      output_tokens: Math.floor(seconds * perSecond * 160),
      in_flight: backends.reduce((sum, backend) => sum + backend.in_flight, 0),
      waiting: 3 + Math.floor(random() * 3),
      history: {
        every_seconds: 10,
        requests: history.map((one) => Math.round(one * perSecond * 10)),
        failed: history.map((one) => Math.round(one * perSecond * 0.05)),
        input_tokens: history.map((one) => Math.round(one * perSecond * 4_100)),
        output_tokens: history.map((one) => Math.round(one * perSecond * 1_600)),
      },
    },
    backends,
    models: modelNames.map((name, n) => busyModel(name, n, backends)),
    tenants: busyTenants(random),
    failures: busyFailures(backends, shift),
    decisions: Array.from({ length: 20 }, (_, n) => busyDecision(n, backends, shift)),
  });
}

function busyBackend(n: number, count: number, random: () => number, shift: (text: string) => string): BackendReport {
  const every = count <= 20 ? 3 : 9;
  const trouble = n % every === 2 ? (troubles[Math.floor(n / every) % troubles.length] ?? {}) : {};
  const isOut = trouble.health === 'down' || trouble.state === 'disabled' || trouble.state === 'unknown';
  const inFlight = isOut ? 0 : Math.floor(random() * 17);
  const engine = engines[n % engines.length] ?? 'vllm';
  const hasMetrics = engine !== 'ollama' && !isOut;
  const ttft = 60 + Math.floor(random() * 900);
  const changed =
    trouble.last_change === undefined ? { at: at(-Math.floor(random() * 80_000)), what: 'up' } : trouble.last_change;
  return aBackend({
    name: `gpu-${String(n + 1).padStart(2, '0')}`,
    engine,
    url: `http://10.0.${Math.floor(n / 200)}.${(n % 200) + 11}:8000`,
    weight: n % 5 === 0 ? 2 : 1,
    in_flight: inFlight,
    max_in_flight: engine === 'vllm' ? null : 16,
    running: inFlight,
    waiting: hasMetrics ? Math.floor(random() * 3) : null,
    kv_cache: hasMetrics ? random() : null,
    ttft_p50_ms: isOut ? null : Math.floor(ttft / 2),
    ttft_p95_ms: isOut ? null : ttft,
    attempts: isOut ? 40 : 800 + Math.floor(random() * 900),
    failed: n % every === 2 ? Math.floor(random() * 30) : 0,
    models: [modelNames[n % modelNames.length] ?? '', ...(n % 4 === 0 ? ['bge-m3'] : [])],
    ...trouble,
    last_change: changed === null ? null : { ...changed, at: shift(changed.at) },
  });
}

function busyModel(name: string, n: number, backends: readonly BackendReport[]): ModelReport {
  const members = backends
    .filter(({ models }) => models.includes(name))
    .map((backend) => {
      const usable = name !== 'gpt-oss-120b' && backend.state === 'up';
      const why = usable
        ? null
        : backend.state === 'up'
          ? 'cannot do chat-completions'
          : (backend.problem ?? backend.state);
      const circuit: CircuitState = backend.circuit;
      return {
        backend: backend.name,
        name: n === 0 ? `meta/${name}` : name,
        weight: backend.weight,
        context: 32_768,
        usable,
        circuit,
        why,
      };
    });
  return aModel({
    name,
    aliases: n === 0 ? ['gpt-4o', 'default'] : [],
    capabilities:
      name === 'bge-m3'
        ? { embeddings: true, 'chat-completions': false }
        : { 'chat-completions': true, completions: true, tools: n % 2 === 0, vision: n === 3 },
    context: name === 'bge-m3' ? 8_192 : 131_072,
    members,
    available: members.filter(({ usable }) => usable).length,
    panic: name === 'gpt-oss-120b',
    queue: { length: n === 1 ? 3 : n === 4 ? 92 : 0, max_length: 100, max_wait_seconds: 30 },
    fallback: n === 0 ? { no_backend: ['qwen3-32b'], overloaded: [] } : { no_backend: [], overloaded: [] },
  });
}

function busyTenants(random: () => number): readonly TenantReport[] {
  return ['search-team', 'lab', 'batch', 'anonymous'].map((tenant, n) => ({
    tenant,
    requests: 2_000 * (4 - n),
    input_tokens: 810_000 * (4 - n),
    output_tokens: 310_000 * (4 - n),
    limits:
      tenant === 'anonymous'
        ? []
        : [
            { limit: 'requests_per_minute', of: 'all keys', used: Math.floor(600 * random()), allowed: 600 },
            { limit: 'tokens_per_minute', of: 'key 1', used: n === 1 ? 390_000 : 120_000, allowed: 400_000 },
            { limit: 'concurrent', of: 'llama-3.3-70b', used: n === 2 ? 40 : 12, allowed: 40 },
          ],
  }));
}

function busyFailures(backends: readonly BackendReport[], shift: (text: string) => string): readonly FailureReport[] {
  const errors = [
    'first_byte_timeout',
    'backend_failed',
    'connect_failed',
    'broken_stream',
    'no_backend',
    'queue_timeout',
  ];
  return errors.map((error, n) => ({
    at: shift(at(-7 - n * 33)),
    request_id: `5f1c2d${n}e-8a31-4c0b-9d4e-2b7a6c1f0e5${n}`,
    kind: n < 3 ? 'attempt' : 'request',
    endpoint: 'chat-completions',
    tenant: 'search-team',
    model: modelNames[n % modelNames.length] ?? null,
    backend: n < 4 ? (backends[(n * 3 + 2) % backends.length]?.name ?? null) : null,
    error,
    source: n < 4 ? 'backend' : 'gateway',
    status: n < 4 ? 502 : 503,
  }));
}

function busyDecision(n: number, backends: readonly BackendReport[], shift: (text: string) => string): DecisionReport {
  const chosen = backends.slice(0, 6);
  const winner = chosen[n % 2] ?? backends[0];
  return {
    at: shift(at(-1 - n * 4)),
    request_id: `9b0e4c1${n}-77aa-4d53-8f0e-0c2a1b3d4e5f`,
    attempt: n % 7 === 3 ? 2 : 1,
    queued_ms: n % 5 === 0 ? 340 : 0,
    explanation: {
      model: modelNames[n % 4] ?? '',
      endpoint: 'chat-completions',
      policy: 'least-connections',
      winner: winner?.name ?? null,
      why: `${winner?.name} has the fewest requests in flight for its weight`,
      candidates: chosen.map((backend, at) => ({
        backend: backend.name,
        verdict: backend === winner ? 'winner' : at < 3 ? 'next' : at === 3 ? 'full' : 'excluded',
        why:
          at < 3 ? null : at === 3 ? '16 of 16 in flight' : backend.state === 'up' ? 'cannot do tools' : backend.state,
        score: at < 4 ? (backend.in_flight + 1) / backend.weight : null,
        in_flight: backend.in_flight,
        max_in_flight: backend.max_in_flight,
        weight: backend.weight,
      })),
    },
  };
}
