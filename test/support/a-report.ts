// What `GET /fleet` would say of a small, quiet fleet, with whatever a test wants otherwise.
import type { BackendReport, FleetReport, ModelReport } from '../../src/fleet/report.ts';

export const startMs = Date.parse('2026-11-24T12:00:00.000Z');

export function aBackend(wishes: Partial<BackendReport> = {}): BackendReport {
  return {
    name: 'gpu-a',
    engine: 'vllm',
    url: 'http://10.0.0.11:8000',
    weight: 1,
    state: 'up',
    admin_state: 'enabled',
    health: 'up',
    circuit: 'closed',
    stalled: false,
    in_flight: 0,
    max_in_flight: 16,
    running: 0,
    waiting: 0,
    kv_cache: 0.4,
    ttft_p50_ms: 90,
    ttft_p95_ms: 180,
    attempts: 100,
    failed: 0,
    models: ['llama-3.3-70b'],
    problem: null,
    last_change: { at: at(0), what: 'up' },
    ...wishes,
  };
}

export function aModel(wishes: Partial<ModelReport> = {}): ModelReport {
  return {
    name: 'llama-3.3-70b',
    aliases: [],
    policy: 'least-connections',
    capabilities: { 'chat-completions': true, tools: true, vision: false },
    context: 131_072,
    members: [
      {
        backend: 'gpu-a',
        name: 'llama-3.3-70b',
        weight: 1,
        context: 131_072,
        usable: true,
        circuit: 'closed',
        why: null,
      },
    ],
    available: 1,
    panic: false,
    queue: { length: 0, max_length: 100, max_wait_seconds: 30 },
    fallback: { no_backend: [], overloaded: [] },
    ...wishes,
  };
}

export function aReport(wishes: Partial<FleetReport> = {}): FleetReport {
  return {
    switchyard: { version: '0.1.0', node: 'v24.21.0', started_at: at(-86_400) },
    now: at(0),
    phase: 'ready',
    attention: [],
    config: { source: 'config/fleet.yaml', hash: '3f9c1a77b20e', loaded_at: at(-3_600), refused: null },
    shared_state: null,
    traffic: {
      requests: 0,
      failed: 0,
      input_tokens: 0,
      output_tokens: 0,
      in_flight: 0,
      waiting: 0,
      history: { every_seconds: 10, requests: [], failed: [], input_tokens: [], output_tokens: [] },
    },
    backends: [aBackend()],
    models: [aModel()],
    tenants: [],
    failures: [],
    decisions: [],
    ...wishes,
  };
}

/** Seconds after the start of all reports. */
export function at(seconds: number): string {
  return new Date(startMs + seconds * 1_000).toISOString();
}
