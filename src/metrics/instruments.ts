// Every metric of the router: a list one can read. Names are a contract with dashboards and alerts.
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import {
  cachedTokenSources,
  connectionStates,
  decisionResults,
  leavingPhases,
  modelRejections,
  otherRejections,
  overheadPhases,
  signals,
  streamPhases,
} from './labels.ts';

const requestBuckets = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300, 600];
const firstTokenBuckets = [0.01, 0.02, 0.04, 0.08, 0.15, 0.25, 0.5, 0.75, 1, 1.5, 2.5, 5, 7.5, 10, 20, 30, 60];
const perTokenBuckets = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5, 1, 2.5];
const queueBuckets = [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
const overheadBuckets = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1];
const tokenBuckets = [16, 64, 256, 1_024, 4_096, 16_384, 65_536, 262_144];
const ratioBuckets = [0.1, 0.25, 0.5, 0.75, 1, 1.5, 2, 4, 10];
/** Of what takes milliseconds. */
export const smallBuckets = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1];

export type Instruments = ReturnType<typeof createInstruments>;

export function createInstruments(registry: Registry) {
  const registers = [registry];
  const counter = <L extends string>(name: string, help: string, labelNames: readonly L[]) =>
    new Counter({ name, help, labelNames, registers });
  const gauge = <L extends string>(name: string, help: string, labelNames: readonly L[]) =>
    new Gauge({ name, help, labelNames, registers });
  const histogram = <L extends string>(name: string, help: string, labelNames: readonly L[], buckets: number[]) =>
    new Histogram({ name, help, labelNames, buckets, registers });
  return {
    requests: counter('switchyard_requests_total', 'Finished client requests', [
      'model',
      'endpoint',
      'outcome',
      'status_class',
    ]),
    requestDuration: histogram(
      'switchyard_request_duration_seconds',
      'From arrival of the head to the last response byte',
      ['model', 'endpoint', 'outcome'],
      requestBuckets,
    ),
    firstToken: histogram(
      'switchyard_time_to_first_token_seconds',
      'Streaming only: request accepted to first content-bearing event sent',
      ['backend', 'model'],
      firstTokenBuckets,
    ),
    perToken: histogram(
      'switchyard_time_per_output_token_seconds',
      'Streaming only: (end - first token) / (output tokens - 1)',
      ['backend', 'model'],
      perTokenBuckets,
    ),
    requestsInFlight: gauge('switchyard_requests_inflight', 'Requests accepted and not finished', ['endpoint']),
    tokens: counter(
      'switchyard_tokens_total',
      'Tokens as reported by backends: input, cached_input, output or reasoning',
      ['model', 'tenant', 'type'],
    ),
    inputTokens: histogram(
      'switchyard_input_tokens',
      'Length of prompts, as reported by backends',
      ['model'],
      tokenBuckets,
    ),
    overhead: histogram(
      'switchyard_overhead_seconds',
      `Time that the router itself adds: ${orOf(overheadPhases)}`,
      ['phase'],
      overheadBuckets,
    ),
    disconnects: counter('switchyard_client_disconnects_total', `Callers that went away: ${orOf(leavingPhases)}`, [
      'endpoint',
      'phase',
    ]),
    usageMissing: counter('switchyard_usage_missing_total', 'Good answers that carried no usage', ['backend', 'model']),
    attempts: counter('switchyard_upstream_attempts_total', 'Every try at a backend: first or retry', [
      'backend',
      'model',
      'attempt',
      'result',
    ]),
    decisions: counter('switchyard_routing_decisions_total', `Choices of a backend: ${orOf(decisionResults)}`, [
      'model',
      'policy',
      'result',
    ]),
    affinityEntries: gauge('switchyard_affinity_entries', 'Prefixes of prompts that the router remembers', []),
    cachedTokens: counter(
      'switchyard_cached_tokens_total',
      `Prompt tokens found in a cache, where the backend tells: ${orOf(cachedTokenSources)}`,
      ['model', 'source'],
    ),
    ttftRatio: histogram(
      'switchyard_ttft_observed_over_predicted',
      'Streaming only: time from sending to the first token, over what it was expected to take',
      ['backend'],
      ratioBuckets,
    ),
    failovers: counter(
      'switchyard_failovers_total',
      'Requests that another backend has served, by why the one before could not',
      ['model', 'reason'],
    ),
    streamsBroken: counter(
      'switchyard_streams_broken_total',
      `Streams that their backend left without an end when something had reached the caller: ${orOf(streamPhases)}`,
      ['backend', 'phase', 'reason'],
    ),
    fallbacks: counter('switchyard_fallbacks_total', 'Requests that another model has taken, and why', [
      'model',
      'to',
      'cause',
    ]),
    continuations: counter(
      'switchyard_continuations_total',
      'Broken streams that another backend was asked to go on with: completed or failed',
      ['model', 'result'],
    ),
    wastedTokens: counter(
      'switchyard_wasted_tokens_total',
      'Output tokens generated for nobody: caller_left, broken_stream or retry_replay',
      ['backend', 'model', 'reason'],
    ),
    hangUpToClosed: histogram(
      'switchyard_hangup_to_upstream_closed_seconds',
      'From the hang-up of a caller to the end of the connection to the backend that worked for it',
      [],
      smallBuckets,
    ),
    backendUp: gauge('switchyard_backend_up', '1 when the last active probes passed', ['backend', 'engine']),
    backendHealth: gauge('switchyard_backend_health', 'One-hot: what the probes found', ['backend', 'state']),
    backendStalled: gauge('switchyard_backend_stalled', '1 while nothing comes of what it was asked', ['backend']),
    backendAdminState: gauge(
      'switchyard_backend_admin_state',
      'One-hot: what the fleet file says, or a drain at run time',
      ['backend', 'state'],
    ),
    backendServesModel: gauge('switchyard_backend_serves_model', '1 for each model that a backend serves', [
      'backend',
      'model',
    ]),
    backendInFlight: gauge('switchyard_backend_inflight_requests', 'Requests this router has open to the backend', [
      'backend',
    ]),
    backendMaxInFlight: gauge(
      'switchyard_backend_max_inflight',
      'Most requests at once, set, learnt or told by the backend',
      ['backend'],
    ),
    backendRunning: gauge('switchyard_backend_running_requests', 'Running there, as its engine reports it', [
      'backend',
    ]),
    backendWaiting: gauge('switchyard_backend_waiting_requests', 'Waiting there, as its engine reports it', [
      'backend',
    ]),
    backendKvCache: gauge(
      'switchyard_backend_kv_cache_usage_ratio',
      'KV cache in use, 0 to 1, as its engine reports it; absent where it does not',
      ['backend'],
    ),
    signalAt: gauge(
      'switchyard_backend_signal_timestamp_seconds',
      `When the last good reading came: ${orOf(signals)}`,
      ['backend', 'signal'],
    ),
    backendConnections: gauge(
      'switchyard_upstream_connections',
      `Connections to the backend: ${orOf(connectionStates)} (a request that waits for one)`,
      ['backend', 'state'],
    ),
    probeDuration: histogram(
      'switchyard_backend_probe_duration_seconds',
      'Duration of active probes: health, models or load',
      ['backend', 'probe'],
      smallBuckets,
    ),
    probeFailures: counter('switchyard_backend_probe_failures_total', 'Failed probes', ['backend', 'probe', 'reason']),
    circuitState: gauge('switchyard_circuit_state', 'One-hot: closed, half_open, open', ['backend', 'model', 'state']),
    circuitTransitions: counter('switchyard_circuit_transitions_total', 'Circuit changes', ['backend', 'to']),
    modelConfigured: gauge('switchyard_model_configured_backends', 'Backends that could serve the model', ['model']),
    modelAvailable: gauge('switchyard_model_available_backends', 'Backends that can serve the model now', ['model']),
    modelPanic: gauge('switchyard_model_panic', '1 while so many members are out that all of them are tried', [
      'model',
    ]),
    queueLength: gauge('switchyard_queue_length', 'Requests waiting for a backend slot', ['model']),
    queueWait: histogram('switchyard_queue_wait_seconds', 'Time in the wait queue', ['model'], queueBuckets),
    rejections: counter(
      'switchyard_rejections_total',
      `Requests that the router itself refused: ${orOf([...new Set([...modelRejections, ...otherRejections])])}`,
      ['model', 'reason'],
    ),
    limitDecisions: counter(
      'switchyard_rate_limit_decisions_total',
      'Limits that allowed a request, and those that refused one: allowed or denied',
      ['tenant', 'limit', 'decision'],
    ),
    buildInfo: gauge('switchyard_build_info', 'Always 1', ['version', 'revision', 'node_version']),
  };
}

function orOf(words: readonly string[]): string {
  return `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
}
