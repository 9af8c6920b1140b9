// What a fleet file that says nothing means.
import type {
  CircuitSettings,
  LoggingSettings,
  ProbeSettings,
  QueueSettings,
  ServerSettings,
  SharedStateSettings,
  SimulateSettings,
  Timeouts,
} from '../fleet/fleet.ts';

export const serverDefaults: ServerSettings = {
  listen: { host: '127.0.0.1', port: 8000 },
  metrics: true,
  maxBodyBytes: 32 * 2 ** 20,
  drainDelayMs: 5_000,
  drainTimeoutMs: 300_000,
  forwardHeaders: [],
  rateLimitHeaders: 'openai',
};

export const timeoutDefaults: Timeouts = {
  connectMs: 2_000,
  firstByteMs: 120_000,
  firstBytePlainMs: 600_000,
  gapMs: 60_000,
  totalMs: 3_600_000,
};

/** Interval and timeout are the engine's. */
export const probeDefaults: ProbeSettings = { upAfter: 2, downAfter: 3 };

export const circuitDefaults: CircuitSettings = {
  consecutive: 5,
  windowMs: 30_000,
  minRequests: 20,
  failureRatio: 0.5,
  openForMs: 5_000,
  growth: 2,
  openMaxMs: 300_000,
};

export const stallAfterMsDefault = 30_000;

export const simulateDefaults: SimulateSettings = {
  models: ['simulated-model'],
  firstTokenMs: 200,
  tokensPerSecond: 30,
};

export const maxReservedOutputTokensDefault = 4_096;

/** One replica where there is no `shared_state` at all. */
export const sharedStateDefaults = {
  database: 0,
  prefix: 'switchyard:',
  replicas: 1,
  onFailure: 'local',
} satisfies Partial<SharedStateSettings>;

export const queueDefaults: QueueSettings = { maxLength: 100, maxWaitMs: 30_000 };

export const retryBudgetRatioDefault = 0.2;

export const panicRatioDefault = 0.5;

export const slowStartMsDefault = 30_000;

export const policyDefault = 'least-connections';

export const loggingDefaults: LoggingSettings = { level: 'info', format: 'auto', access: 'all' };
