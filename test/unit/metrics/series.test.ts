import { describe, expect, it } from 'vitest';
import { GatewayError } from '../../../src/errors.ts';
import type { MetricsSettings } from '../../../src/fleet/metrics-settings.ts';
import type { FleetView } from '../../../src/metrics/fleet-gauges.ts';
import { createMetrics, type Metrics } from '../../../src/metrics/observe.ts';
import type { AttemptEnded, ExchangeSettled } from '../../../src/routing/ports.ts';
import type { Candidate } from '../../../src/selection/policy.ts';
import { metricsDefaults } from '../../../src/config/defaults.ts';
import { aCandidate } from '../../support/candidates.ts';

function metricsOf(settings: Partial<MetricsSettings> = {}): Metrics {
  return createMetrics({ version: '1', revision: 'abc', settings: { ...metricsDefaults, ...settings } });
}

/** Who serves what, by model. */
function aView(models: Readonly<Record<string, readonly Candidate[]>>, nowMs = 0): FleetView {
  const candidates = new Map(
    Object.values(models)
      .flat()
      .map((one) => [one.backend.name, one]),
  );
  return {
    backends: [...candidates.values()].map(({ backend, state }) => ({
      backend,
      state,
      inFlight: 0,
      connections: { busy: 1, idle: 2, pending: 3 },
    })),
    models: new Map(
      Object.entries(models).map(([model, members]) => [
        model,
        { candidates: members, policy: { name: 'least-connections' }, panicRatio: 0.5 },
      ]),
    ),
    tenants: ['t'],
    queues: new Map(),
    nowMs,
    wallMs: 1_000_000 + nowMs,
  };
}

async function seriesOf(metrics: Metrics, fleet: FleetView): Promise<readonly string[]> {
  const { text } = await metrics.render(fleet);
  return text.split('\n').filter((line) => /^(switchyard|gen_ai)_/.test(line));
}

/** Without the buckets. */
async function namesOf(metrics: Metrics, fleet: FleetView, part: string): Promise<readonly string[]> {
  return (await seriesOf(metrics, fleet)).filter((line) => line.includes(part) && !line.includes('_bucket{'));
}

function settled(more: Partial<ExchangeSettled> = {}): ExchangeSettled {
  return {
    requestId: 'id',
    endpoint: 'chat-completions',
    tenant: 't',
    model: 'm',
    backend: 'a',
    engine: 'vllm',
    policy: 'least-connections',
    attempts: 1,
    outcome: 'ok',
    error: undefined,
    status: 200,
    stream: true,
    durationMs: 120,
    queuedMs: 0,
    parseMs: 1,
    routeMs: 3,
    relayMs: 0.5,
    ttftMs: 20,
    firstTokenMs: 20,
    usage: { inputTokens: 30, outputTokens: 11 },
    contentEvents: 11,
    limitsDegraded: false,
    ...more,
  };
}

const attempted: AttemptEnded = {
  requestId: 'r',
  endpoint: 'completions',
  tenant: 't',
  error: undefined,
  firstTokenMs: undefined,
  backend: 'a',
  model: 'm',
  asked: 'm',
  policy: 'least-connections',
  attempt: 'first',
  result: 'ok',
  durationMs: 100,
  connectMs: 2,
  lostTokens: 0,
};

describe('what has happened', () => {
  const fleet = aView({ m: [aCandidate({ name: 'a' })] });

  it('to an exchange that went well is time, tokens and a choice', async () => {
    const metrics = metricsOf();
    metrics.attempted(attempted);
    metrics.settled(settled());
    const lines = await seriesOf(metrics, fleet);
    expect(lines).toEqual(
      expect.arrayContaining([
        'switchyard_overhead_seconds_sum{phase="parse"} 0.001',
        'switchyard_overhead_seconds_sum{phase="select"} 0.002',
        'switchyard_overhead_seconds_sum{phase="connect"} 0.002',
        'switchyard_overhead_seconds_sum{phase="first_byte"} 0.0005',
        'switchyard_input_tokens_sum{model="m"} 30',
        'switchyard_time_per_output_token_seconds_sum{backend="a",model="m"} 0.01',
        'switchyard_routing_decisions_total{model="m",policy="least-connections",result="best"} 1',
        'switchyard_tokens_total{model="m",tenant="t",type="output"} 11',
      ]),
    );
  });

  it('by way of another backend or another model is told by why', async () => {
    const metrics = metricsOf();
    metrics.attempted({ ...attempted, result: 'backend_broken', broke: 'stream' });
    metrics.attempted({ ...attempted, attempt: 'retry', model: 'small' });
    metrics.settled(settled({ attempts: 2, failedOver: 'backend_broken' }));
    expect(await seriesOf(metrics, fleet)).toEqual(
      expect.arrayContaining([
        'switchyard_failovers_total{model="m",reason="backend_broken"} 1',
        'switchyard_streams_broken_total{backend="a",phase="stream",reason="backend_broken"} 1',
        'switchyard_routing_decisions_total{model="m",policy="least-connections",result="fallback"} 1',
      ]),
    );
  });

  it.each([
    [{ attempts: 0, ttftMs: undefined }, 'queue'],
    [{ attempts: 0, ttftMs: undefined, policy: undefined }, 'before_first_byte'],
    [{ attempts: 1, ttftMs: undefined }, 'before_first_byte'],
    [{ attempts: 1 }, 'streaming'],
  ] as const)('to a caller who left is told by when: %j', async (more, phase) => {
    const metrics = metricsOf();
    metrics.settled(settled({ ...more, outcome: 'client_closed', error: new GatewayError('client_closed', 'gone') }));
    const labels = `endpoint="chat-completions",phase="${phase}"`;
    expect(await seriesOf(metrics, fleet)).toContain(`switchyard_client_disconnects_total{${labels}} 1`);
  });

  it('for nobody is a choice too', async () => {
    const metrics = metricsOf();
    metrics.settled(settled({ outcome: 'no_backend', attempts: 0, backend: undefined, status: 503 }));
    const labels = 'model="m",policy="least-connections",result="none"';
    expect(await seriesOf(metrics, fleet)).toContain(`switchyard_routing_decisions_total{${labels}} 1`);
  });
});

describe('series', () => {
  it('do not grow by a thousand invented models', async () => {
    const metrics = metricsOf({ genaiNames: true });
    const fleet = aView({ m: [aCandidate({ name: 'a' })] });
    const invent = () => {
      const error = new GatewayError('model_not_found', 'no');
      const nobody = { model: undefined, backend: undefined, engine: undefined, policy: undefined, usage: undefined };
      metrics.settled(settled({ ...nobody, outcome: 'model_not_found', status: 404, error, attempts: 0 }));
    };
    invent();
    const before = await seriesOf(metrics, fleet);
    for (let n = 0; n < 1_000; n++) invent();
    expect((await seriesOf(metrics, fleet)).length).toBe(before.length);
  });

  it('of models beyond the most there may be are one', async () => {
    const metrics = metricsOf({ maxModels: 2 });
    const models = Object.fromEntries(Array.from({ length: 50 }, (_, n) => [`m${n}`, [aCandidate({ name: 'a' })]]));
    const fleet = aView(models);
    await metrics.render(fleet);
    for (const model of Object.keys(models)) metrics.settled(settled({ model }));
    const lines = await namesOf(metrics, fleet, 'switchyard_requests_total{');
    const named = new Set(lines.map((line) => /model="(\w+)"/.exec(line)?.[1]));
    expect(named).toEqual(new Set(['m0', 'm1', 'other']));
    expect(lines).toContain(
      'switchyard_requests_total{model="other",endpoint="chat-completions",outcome="ok",status_class="2xx"} 48',
    );
  });

  it('go with the model, and with the backend', async () => {
    const metrics = metricsOf({ genaiNames: true });
    const [a, b] = [aCandidate({ name: 'a' }), aCandidate({ name: 'b' })];
    const both = aView({ m: [a], gone: [b] });
    metrics.settled(settled({ model: 'gone', backend: 'b', standIn: { model: 'm', cause: 'no_backend' } }));
    metrics.settled(settled({ standIn: { model: 'gone', cause: 'no_backend' } }));
    metrics.attempted({ ...attempted, model: 'gone', asked: 'gone', backend: 'b' });
    metrics.probed('b', 'health', 1, undefined);
    expect((await namesOf(metrics, both, '"gone"')).length).toBeGreaterThan(20);
    const rest = aView({ m: [a] });
    expect(await namesOf(metrics, rest, '"gone"')).toEqual([]);
    metrics.forgetBackend('b');
    await Promise.resolve();
    await expect.poll(() => namesOf(metrics, rest, '"b"')).toEqual([]);
    expect((await namesOf(metrics, rest, '"m"')).length).toBeGreaterThan(20);
  });

  it('do not come back with a request that was still waiting when the last backend it asked has left', async () => {
    const metrics = metricsOf();
    const rest = aView({ m: [aCandidate({ name: 'a' })] });
    metrics.attempted({ ...attempted, backend: 'b' });
    metrics.forgetBackend('b');
    await expect.poll(() => namesOf(metrics, rest, '"b"')).toEqual([]);
    metrics.settled(settled({ backend: 'b', outcome: 'backend_broken', contentEvents: 3 }));
    expect(await namesOf(metrics, rest, '"b"')).toEqual([]);
    metrics.attempted({ ...attempted, backend: 'b' });
    metrics.settled(settled({ backend: 'b' }));
    expect((await namesOf(metrics, rest, '"b"')).length).toBeGreaterThan(2);
  });

  it('begin at 0, so that the first event is a rise', async () => {
    const lines = await seriesOf(metricsOf(), aView({ m: [aCandidate({ name: 'a', can: { embeddings: false } })] }));
    for (const zero of [
      'switchyard_requests_total{model="m",endpoint="chat-completions",outcome="backend_broken",status_class="5xx"} 0',
      'switchyard_upstream_attempts_total{backend="a",model="m",attempt="retry",result="ok"} 0',
      'switchyard_streams_broken_total{backend="a",phase="stream",reason="backend_timeout"} 0',
      'switchyard_failovers_total{model="m",reason="backend_unreachable"} 0',
      'switchyard_tokens_total{model="m",tenant="t",type="output"} 0',
      'switchyard_client_disconnects_total{endpoint="completions",phase="queue"} 0',
      'switchyard_overhead_seconds_count{phase="select"} 0',
      'switchyard_rejections_total{model="m",reason="queue_full"} 0',
    ])
      expect(lines).toContain(zero);
    expect(lines.filter((line) => line.includes('model="m",endpoint="embeddings"'))).toEqual([]);
  });

  it('of a large fleet that has served everything are about eight thousand, and less than 1 MiB', async () => {
    const metrics = metricsOf();
    // 50 backends, 20 models, 100 pairs.
    const backends = Array.from({ length: 50 }, (_, n) => aCandidate({ name: `b${n}`, can: { embeddings: false } }));
    const models = Object.fromEntries(
      Array.from({ length: 20 }, (_, m) => [`m${m}`, backends.slice((m * 5) % 50, ((m * 5) % 50) + 5)]),
    );
    const fleet = aView(models);
    await metrics.render(fleet);
    for (const [model, members] of Object.entries(models)) {
      for (const { backend } of members) {
        metrics.probed(backend.name, 'health', 1, undefined);
        metrics.attempted({ ...attempted, backend: backend.name, model, asked: model });
        metrics.settled(settled({ model, backend: backend.name }));
      }
      metrics.waited(model, 10, 'served');
      for (const outcome of ['client_closed', 'backend_error', 'no_backend'] as const)
        metrics.settled(settled({ model, outcome, backend: undefined, status: 503 }));
    }
    expect((await seriesOf(metrics, fleet)).length).toBeLessThan(8_800);
    expect(Buffer.byteLength((await metrics.render(fleet)).text)).toBeLessThan(2 ** 20);
  });
});

describe('settings', () => {
  it('make all tenants one', async () => {
    const metrics = metricsOf({ tenants: false });
    metrics.limitKnown('t', 'concurrent');
    metrics.limitDecided('t', 'concurrent', 'denied');
    metrics.settled(settled());
    const lines = await seriesOf(metrics, aView({ m: [aCandidate({ name: 'a' })] }));
    expect(lines.filter((line) => line.includes('tenant="t"'))).toEqual([]);
    expect(lines).toContain('switchyard_tokens_total{model="m",tenant="all",type="output"} 11');
    expect(lines).toContain(
      'switchyard_rate_limit_decisions_total{tenant="all",limit="concurrent",decision="denied"} 1',
    );
  });

  it('add the names of the conventions', async () => {
    const fleet = aView({ m: [aCandidate({ name: 'a' })] });
    expect(await namesOf(metricsOf(), fleet, 'gen_ai')).toEqual([]);
    const metrics = metricsOf({ genaiNames: true });
    metrics.settled(settled());
    const labels =
      'gen_ai_operation_name="chat",gen_ai_provider_name="vllm",gen_ai_request_model="m",gen_ai_response_model="m"';
    expect(await namesOf(metrics, fleet, 'gen_ai')).toEqual(
      expect.arrayContaining([
        `gen_ai_server_request_duration_seconds_count{${labels},error_type=""} 1`,
        `gen_ai_server_time_to_first_token_seconds_sum{${labels}} 0.02`,
        `gen_ai_server_time_per_output_token_seconds_sum{${labels}} 0.01`,
        `gen_ai_client_token_usage_sum{${labels},gen_ai_token_type="output"} 11`,
      ]),
    );
  });
});

describe('what an engine reports', () => {
  it('is shown while it is fresh, and then not at all', async () => {
    const candidate = aCandidate({ name: 'a' });
    candidate.state.signals.load = { reading: { running: 4, waiting: 2, kvUsage: 0.5 }, atMs: 500, everyMs: 2_000 };
    const metrics = metricsOf();
    const reported = [
      'switchyard_backend_running_requests{backend="a"} 4',
      'switchyard_backend_waiting_requests{backend="a"} 2',
      'switchyard_backend_kv_cache_usage_ratio{backend="a"} 0.5',
    ];
    const lines = await seriesOf(metrics, aView({ m: [candidate] }, 6_500));
    expect(lines).toEqual(expect.arrayContaining(reported));
    expect(lines).toContain('switchyard_backend_signal_timestamp_seconds{backend="a",signal="load"} 1000.5');
    expect(lines).toContain('switchyard_upstream_connections{backend="a",state="idle"} 2');
    const later = await seriesOf(metrics, aView({ m: [candidate] }, 6_501));
    expect(later.filter((line) => /_(running|waiting)_requests|kv_cache/.test(line))).toEqual([]);
    expect(later).toContain('switchyard_backend_signal_timestamp_seconds{backend="a",signal="load"} 1000.5');
  });
});
