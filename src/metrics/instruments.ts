// Every metric of the router: a list one can read. Names are a contract with dashboards and alerts.
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

const requestBuckets = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300, 600];
const firstTokenBuckets = [0.01, 0.02, 0.04, 0.08, 0.15, 0.25, 0.5, 0.75, 1, 1.5, 2.5, 5, 7.5, 10, 20, 30, 60];
const perTokenBuckets = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5, 1, 2.5];
const queueBuckets = [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
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
    tokens: counter('switchyard_tokens_total', 'Tokens as reported by backends', ['model', 'tenant', 'type']),
    usageMissing: counter('switchyard_usage_missing_total', 'Good answers that carried no usage', ['backend', 'model']),
    attempts: counter('switchyard_upstream_attempts_total', 'Every try at a backend', [
      'backend',
      'model',
      'attempt',
      'result',
    ]),
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
    wastedTokens: counter('switchyard_wasted_tokens_total', 'Output tokens that were generated for nobody', [
      'backend',
      'model',
      'reason',
    ]),
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
    backendConnections: gauge('switchyard_upstream_connections', 'Open sockets to the backend', ['backend']),
    probeDuration: histogram(
      'switchyard_backend_probe_duration_seconds',
      'Duration of active probes',
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
    rejections: counter('switchyard_rejections_total', 'Requests that the router itself refused', ['model', 'reason']),
    limitDecisions: counter(
      'switchyard_rate_limit_decisions_total',
      'Limits that allowed a request, and those that refused one',
      ['tenant', 'limit', 'decision'],
    ),
    buildInfo: gauge('switchyard_build_info', 'Always 1', ['version', 'node_version']),
  };
}
