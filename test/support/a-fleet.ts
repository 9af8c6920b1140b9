// Fleets for tests: every field has its default, and a test says only what it is about.
import { leastCostDefaults } from '../../src/fleet/least-cost-settings.ts';
import type { Caller } from '../../src/access/keyring.ts';
import { rulesOf } from '../../src/access/rules.ts';
import { circuitDefaults, metricsDefaults, overloadDefaults, timeoutDefaults } from '../../src/config/defaults.ts';
import type {
  AdminSettings,
  AuthSettings,
  Backend,
  Fleet,
  ModelSettings,
  QueueSettings,
  Timeouts,
  TracingSettings,
} from '../../src/fleet/fleet.ts';
import type { SharedStateSettings } from '../../src/fleet/shared-state.ts';

export const timeouts: Timeouts = timeoutDefaults;

export function aBackend(overrides: Partial<Backend> = {}): Backend {
  return {
    name: 'a',
    engine: 'vllm',
    // Nobody listens there; a simulated backend gets its address from the router.
    ...(overrides.simulate === undefined ? { url: 'http://127.0.0.1:9' } : {}),
    weight: 1,
    state: 'enabled',
    usage: 'auto',
    probe: { upAfter: 2, downAfter: 3 },
    timeouts,
    stallAfterMs: 30_000,
    circuit: circuitDefaults,
    ...overrides,
  };
}

export function aModel(overrides: Partial<ModelSettings> = {}): ModelSettings {
  return { aliases: [], backendNames: new Map(), ...overrides };
}

export function anAuth(overrides: Partial<AuthSettings> = {}): AuthSettings {
  return { mode: 'none', keys: [], tenants: new Map(), maxReservedOutputTokens: 4096, ...overrides };
}

/** Without limits unless said. */
export function aCaller(overrides: Partial<Caller> = {}): Caller {
  const tenant = overrides.tenant ?? 't';
  return {
    tenant,
    priority: 'normal',
    weight: 1,
    models: undefined,
    rules: rulesOf({ tenant }, anAuth(), new Map()),
    ...overrides,
  };
}

export interface FleetWishes {
  readonly backends?: readonly Partial<Backend>[];
  readonly groups?: Fleet['groups'];
  readonly models?: Readonly<Record<string, Partial<ModelSettings>>>;
  readonly server?: Partial<Fleet['server']>;
  /** No admin listener unless said; then on a free port. */
  readonly admin?: Partial<AdminSettings>;
  readonly auth?: Partial<AuthSettings>;
  readonly sharedState?: SharedStateSettings;
  readonly tracing?: TracingSettings;
  readonly metrics?: Partial<Fleet['metrics']>;
  readonly policy?: string;
  readonly retryBudgetRatio?: number;
  readonly panicRatio?: number;
  readonly slowStartMs?: number;
  readonly leastCost?: Partial<Fleet['routing']['leastCost']>;
  /** Nobody waits unless said. */
  readonly queue?: Partial<QueueSettings>;
}

export function aFleet(wishes: FleetWishes = {}): Fleet {
  return {
    server: {
      listen: { host: '127.0.0.1', port: 0 },
      workers: 1,
      metrics: true,
      maxBodyBytes: 33_554_432,
      drainDelayMs: 0,
      drainTimeoutMs: 300_000,
      forwardHeaders: [],
      rateLimitHeaders: 'openai',
      // The router of a test shares its thread with callers and engines, whose work is not its own.
      overload: { ...overloadDefaults, eventLoopDelayMs: Infinity },
      ...wishes.server,
    },
    ...(wishes.admin === undefined
      ? {}
      : {
          admin: {
            listen: { host: '127.0.0.1', port: 0 },
            isChosen: true,
            allowedHosts: ['localhost'],
            ...wishes.admin,
          },
        }),
    auth: anAuth(wishes.auth),
    backends: (wishes.backends ?? [{}]).map(aBackend),
    groups: wishes.groups ?? [],
    models: new Map(Object.entries(wishes.models ?? {}).map(([name, model]) => [name, aModel(model)])),
    routing: {
      policy: wishes.policy ?? 'least-connections',
      queue: { maxLength: 0, maxWaitMs: 30_000, comments: false, ...wishes.queue },
      panicRatio: wishes.panicRatio ?? 0.5,
      slowStartMs: wishes.slowStartMs ?? 30_000,
      leastCost: { ...leastCostDefaults, ...wishes.leastCost },
      retryBudgetRatio: wishes.retryBudgetRatio ?? 0.2,
    },
    metrics: { ...metricsDefaults, ...wishes.metrics },
    logging: { level: 'silent', format: 'json', access: 'all' },
    ...(wishes.tracing === undefined ? {} : { tracing: wishes.tracing }),
    ...(wishes.sharedState === undefined ? {} : { sharedState: wishes.sharedState }),
  };
}
