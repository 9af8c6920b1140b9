// Fleets for tests: every field has its default, and a test says only what it is about.
import type { Backend, Fleet, ModelSettings, Timeouts } from '../../src/fleet/fleet.ts';

export const timeouts: Timeouts = {
  connectMs: 2_000,
  firstByteMs: 120_000,
  firstBytePlainMs: 600_000,
  gapMs: 60_000,
  totalMs: 3_600_000,
};

export function aBackend(overrides: Partial<Backend> = {}): Backend {
  return {
    name: 'a',
    engine: 'vllm',
    url: 'http://127.0.0.1:9',
    weight: 1,
    state: 'enabled',
    usage: 'auto',
    probe: { upAfter: 2, downAfter: 3 },
    timeouts,
    circuit: {
      consecutive: 5,
      windowMs: 30_000,
      minRequests: 20,
      failureRatio: 0.5,
      openForMs: 5_000,
      growth: 2,
      openMaxMs: 300_000,
    },
    ...overrides,
  };
}

export function aModel(overrides: Partial<ModelSettings> = {}): ModelSettings {
  return { aliases: [], backendNames: new Map(), ...overrides };
}

export interface FleetWishes {
  readonly backends?: readonly Partial<Backend>[];
  readonly models?: Readonly<Record<string, Partial<ModelSettings>>>;
  readonly server?: Partial<Fleet['server']>;
  readonly auth?: Fleet['auth'];
  readonly policy?: string;
}

export function aFleet(wishes: FleetWishes = {}): Fleet {
  return {
    server: {
      listen: { host: '127.0.0.1', port: 0 },
      metrics: true,
      maxBodyBytes: 33_554_432,
      drainDelayMs: 0,
      drainTimeoutMs: 300_000,
      forwardHeaders: [],
      ...wishes.server,
    },
    auth: wishes.auth ?? { mode: 'none', keys: [] },
    backends: (wishes.backends ?? [{}]).map(aBackend),
    models: new Map(Object.entries(wishes.models ?? {}).map(([name, model]) => [name, aModel(model)])),
    routing: { policy: wishes.policy ?? 'least-connections' },
    logging: { level: 'silent', format: 'json', access: 'all' },
  };
}
