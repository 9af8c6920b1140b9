// The file as the schema read it → the Fleet: names and units of the code, `defaults` merged into every backend per field.
import type { ApiKey, Backend, Fleet, ModelSettings, QueueSettings, Timeouts } from '../fleet/fleet.ts';
import type { Capabilities } from '../fleet/capabilities.ts';
import { hostAndPort } from '../fleet/address-of-url.ts';
import { decodeAdmin } from './admin.ts';
import type { Credentials } from './credentials.ts';
import { decodeGroup } from './decode-discover.ts';
import { decodeLimits, decodeTenants } from './decode-limits.ts';
import { decodeOverload } from './decode-overload.ts';
import { decodeSharedState } from './decode-shared-state.ts';
import { decodeLeastCost } from './schema-least-cost.ts';
import { decodeMetrics } from './schema-metrics.ts';
import { decodeTracing } from './schema-tracing.ts';
import * as defaults from './defaults.ts';
import { deepFreeze } from './freeze.ts';
import { present } from './present.ts';
import type { BackendEntry, FleetFile, KeyEntry, ModelEntry, QueueEntry, TimeoutsEntry } from './schema.ts';

/** Flags and environment, which win over the file. */
export interface Overrides {
  readonly listen?: Fleet['server']['listen'];
  readonly adminListen?: Fleet['server']['listen'] | 'off';
  readonly level?: Fleet['logging']['level'];
}

export function decode(file: FleetFile, credentials: Credentials, overrides: Overrides): Fleet {
  const { server, logging } = file;
  return deepFreeze({
    server: {
      ...defaults.serverDefaults,
      ...present({
        listen: overrides.listen ?? server?.listen,
        workers: server?.workers,
        metrics: server?.metrics,
        maxBodyBytes: server?.max_body,
        drainDelayMs: server?.drain_delay,
        drainTimeoutMs: server?.drain_timeout,
        forwardHeaders: server?.forward_headers,
        rateLimitHeaders: server?.rate_limit_headers,
        overload: server?.overload && decodeOverload(server.overload),
        tls: credentials.tls.server,
      }),
    },
    auth: {
      mode: credentials.mode,
      keys: decodeKeys(file.auth?.keys ?? [], credentials),
      tenants: decodeTenants(file.auth?.tenants ?? {}),
      maxReservedOutputTokens: file.auth?.max_reserved_output_tokens ?? defaults.maxReservedOutputTokensDefault,
    },
    ...decodeBackends(file, credentials),
    models: new Map(Object.entries(file.models ?? {}).map(([name, entry]) => [name, decodeModel(entry)])),
    routing: {
      policy: file.routing?.policy ?? defaults.policyDefault,
      queue: { ...defaults.queueDefaults, ...decodeQueue(file.routing?.queue) },
      panicRatio: file.routing?.panic ?? defaults.panicRatioDefault,
      slowStartMs: file.routing?.slow_start ?? defaults.slowStartMsDefault,
      leastCost: decodeLeastCost(file.routing?.least_cost),
      retryBudgetRatio: file.routing?.retries?.budget_ratio ?? defaults.retryBudgetRatioDefault,
    },
    logging: {
      ...defaults.loggingDefaults,
      ...present({ level: overrides.level ?? logging?.level, format: logging?.format, access: logging?.access }),
    },
    metrics: decodeMetrics(file.metrics),
    ...present({
      admin: decodeAdmin(
        file.admin,
        { tokenSha256: credentials.adminTokenHash, tls: credentials.tls.admin },
        overrides.adminListen,
      ),
      tracing: file.tracing && decodeTracing(file.tracing),
      sharedState: file.shared_state && decodeSharedState(file.shared_state, credentials.redis),
    }),
  });
}

function decodeKeys(entries: readonly KeyEntry[], { keyHashes, envKeyHashes }: Credentials): readonly ApiKey[] {
  const ofFile = entries.flatMap(({ tenant, models, expires, limits, priority, weight }, index) => {
    const sha256 = keyHashes[index];
    return sha256 === undefined
      ? []
      : [
          {
            tenant,
            sha256,
            ...present({ models, expiresAtMs: expires, limits: limits && decodeLimits(limits), priority, weight }),
          },
        ];
  });
  return [...ofFile, ...envKeyHashes.map((sha256) => ({ tenant: 'default', sha256 }))];
}

/** A group's entry says what a backend's does, but for where it is. */
function decodeBackends(file: FleetFile, { bearers, tls }: Credentials): Pick<Fleet, 'backends' | 'groups'> {
  const entries = file.backends.map((entry, index) => ({
    entry,
    backend: decodeBackend(entry, file.defaults ?? {}, { bearer: bearers[index], tls: tls.backends[index] }),
  }));
  return {
    backends: entries.flatMap(({ entry, backend }) => (entry.discover === undefined ? [backend] : [])),
    groups: entries.flatMap(
      ({ entry: { discover, tls: own }, backend: template }) =>
        (discover && decodeGroup(discover, { template, speaksTls: own !== undefined })) ?? [],
    ),
  };
}

function decodeBackend(
  own: BackendEntry,
  shared: NonNullable<FleetFile['defaults']>,
  { bearer, tls }: { readonly bearer: string | undefined; readonly tls: Backend['tls'] | undefined },
): Backend {
  const probe = merge(shared.probe, own.probe);
  const circuit = merge(shared.circuit, own.circuit);
  const simulated = own.engine === 'simulated';
  return {
    name: own.name ?? nameFor(own.url ?? ''),
    engine: own.engine ?? 'auto',
    weight: own.weight ?? 1,
    state: own.state ?? 'enabled',
    usage: own.usage ?? shared.usage ?? 'auto',
    probe: {
      ...defaults.probeDefaults,
      ...present({
        intervalMs: probe.interval,
        timeoutMs: probe.timeout,
        upAfter: probe.up_after,
        downAfter: probe.down_after,
      }),
    },
    timeouts: { ...defaults.timeoutDefaults, ...decodeTimeouts(merge(shared.timeouts, own.timeouts)) },
    stallAfterMs: own.stall_after ?? shared.stall_after ?? defaults.stallAfterMsDefault,
    circuit: {
      ...defaults.circuitDefaults,
      ...present({
        consecutive: circuit.consecutive,
        windowMs: circuit.window,
        minRequests: circuit.min_requests,
        failureRatio: circuit.failure_ratio,
        openForMs: circuit.open_for,
        growth: circuit.growth,
        openMaxMs: circuit.open_max,
      }),
    },
    ...(simulated ? { simulate: decodeSimulate(own) } : {}),
    ...present({
      url: own.url,
      models: own.models,
      maxInFlight: own.max_in_flight ?? shared.max_in_flight,
      bearer,
      tls,
      capabilities: own.capabilities && decodeCapabilities(own.capabilities),
      contextTokens: own.context,
    }),
  };
}

function nameFor(url: string): string {
  const { host, port } = hostAndPort(url);
  return `${host}:${port}`;
}

function decodeSimulate({ simulate, models }: BackendEntry): NonNullable<Backend['simulate']> {
  return {
    ...defaults.simulateDefaults,
    // Models named for the backend are the ones its simulation has, unless that names its own.
    ...present({
      models: simulate?.models ?? models,
      firstTokenMs: simulate?.first_token,
      tokensPerSecond: simulate?.tokens_per_second,
    }),
  };
}

function decodeModel(entry: ModelEntry): ModelSettings {
  return {
    aliases: entry.aliases ?? [],
    backendNames: new Map(Object.entries(entry.backend_names ?? {})),
    ...present({
      capabilities: entry.capabilities && decodeCapabilities(entry.capabilities),
      contextTokens: entry.context,
      timeouts: entry.timeouts && decodeTimeouts(entry.timeouts),
      queue: entry.queue && decodeQueue(entry.queue),
      limits: entry.limits && decodeLimits(entry.limits),
      continuation: entry.continuation,
      fallback: entry.fallback && decodeFallback(entry.fallback),
    }),
  };
}

function decodeFallback(entry: NonNullable<ModelEntry['fallback']>): NonNullable<ModelSettings['fallback']> {
  if (Array.isArray(entry)) return { no_backend: entry, overloaded: entry };
  return { no_backend: entry.no_backend ?? [], overloaded: entry.overloaded ?? [] };
}

function decodeQueue(entry: QueueEntry = {}): Partial<QueueSettings> {
  return present({ maxLength: entry.max_length, maxWaitMs: entry.max_wait, comments: entry.comments });
}

function decodeTimeouts(entry: TimeoutsEntry): Partial<Timeouts> {
  return present({
    connectMs: entry.connect,
    firstByteMs: entry.first_byte,
    firstBytePlainMs: entry.first_byte_plain,
    gapMs: entry.gap,
    totalMs: entry.total,
  });
}

function decodeCapabilities(entry: NonNullable<ModelEntry['capabilities']>): Capabilities {
  return present(entry);
}

function merge<Entry extends object>(shared: Entry | undefined, own: Entry | undefined): Partial<Entry> {
  return { ...shared, ...present(own ?? {}) };
}
