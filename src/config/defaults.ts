// What a fleet file that says nothing means.
import type {
  AdminSettings,
  CircuitSettings,
  LoggingSettings,
  ProbeSettings,
  QueueSettings,
  ServerSettings,
  SimulateSettings,
  Timeouts,
} from '../fleet/fleet.ts';
import type { MetricsSettings } from '../fleet/metrics-settings.ts';
import type { OverloadSettings } from '../fleet/overload-settings.ts';
import type { SharedStateSettings } from '../fleet/shared-state.ts';

/**
 * A second late is half of what connections and probes are given, so healthy backends would soon be taken for dead; at
 * 90 % V8 is about to do nothing but collect, and the system to refuse connections; 1 GiB is 32 of the largest bodies, or
 * ten thousand usual ones.
 */
export const overloadDefaults: OverloadSettings = {
  eventLoopDelayMs: 1_000,
  heapRatio: 0.9,
  openFilesRatio: 0.9,
  bufferedBytes: 2 ** 30,
};

export const serverDefaults: ServerSettings = {
  listen: { host: '127.0.0.1', port: 8000 },
  workers: 1,
  metrics: true,
  maxBodyBytes: 32 * 2 ** 20,
  drainDelayMs: 5_000,
  drainTimeoutMs: 300_000,
  forwardHeaders: [],
  rateLimitHeaders: 'openai',
  overload: overloadDefaults,
};

export const adminDefaults = {
  listen: { host: '127.0.0.1', port: 9091 },
  allowedHosts: ['localhost'],
} satisfies Partial<AdminSettings>;

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

/** Between two looks for the backends of a group. */
export const everyMsDefault = 30_000;

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

export const queueDefaults: QueueSettings = { maxLength: 100, maxWaitMs: 30_000, comments: false };

export const retryBudgetRatioDefault = 0.2;

export const panicRatioDefault = 0.5;

export const slowStartMsDefault = 30_000;

export const policyDefault = 'least-connections';

/** Everything: what it costs is known to whoever switches it on. */
export const sampleRatioDefault = 1;

export const metricsDefaults: MetricsSettings = { tenants: true, genaiNames: false, maxModels: 200 };

export const loggingDefaults: LoggingSettings = { level: 'info', format: 'auto', access: 'all' };
