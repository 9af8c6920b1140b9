// A fleet in the words of fleet.yaml: what is in force after defaults, environment and flags, for people who look at it. Secrets
// are `***`, also those that came from files of their own; apart from them it could be loaded again and would mean the same.
import type { ApiKey, Fleet } from '../fleet/fleet.ts';
import type { LeastCostSettings } from '../fleet/least-cost-settings.ts';
import type { OverloadSettings } from '../fleet/overload-settings.ts';
import { formatAddress } from './addresses.ts';
import { effectiveBackend, effectiveGroup, effectiveModel, effectiveQueue } from './effective-backends.ts';
import { effectiveSharedState } from './effective-shared-state.ts';
import { effectiveLimits, effectiveServerTls, masked, type Written } from './effective-values.ts';
import { present } from './present.ts';
import { formatDuration, formatSize } from './units.ts';

export function effectiveConfig(fleet: Fleet): Written {
  const { server, auth, routing, logging, metrics, tracing, sharedState } = fleet;
  return {
    version: 1,
    server: {
      listen: formatAddress(server.listen),
      workers: server.workers,
      metrics: server.metrics,
      max_body: formatSize(server.maxBodyBytes),
      drain_delay: formatDuration(server.drainDelayMs),
      drain_timeout: formatDuration(server.drainTimeoutMs),
      forward_headers: server.forwardHeaders,
      rate_limit_headers: server.rateLimitHeaders,
      overload: effectiveOverload(server.overload),
      ...present({ tls: effectiveServerTls(server.tls) }),
    },
    admin: effectiveAdmin(fleet.admin),
    auth: {
      mode: auth.mode,
      max_reserved_output_tokens: auth.maxReservedOutputTokens,
      keys: auth.keys.map(effectiveKey),
      tenants: effectiveTenants(auth.tenants),
    },
    backends: [...fleet.backends.map(effectiveBackend), ...fleet.groups.map(effectiveGroup)],
    models: Object.fromEntries([...fleet.models].map(([name, model]) => [name, effectiveModel(model)])),
    routing: {
      policy: routing.policy,
      panic: routing.panicRatio,
      slow_start: formatDuration(routing.slowStartMs),
      least_cost: effectiveLeastCost(routing.leastCost),
      retries: { budget_ratio: routing.retryBudgetRatio },
      queue: effectiveQueue(routing.queue),
    },
    metrics: {
      tenants: metrics.tenants,
      genai_names: metrics.genaiNames,
      max_models: metrics.maxModels,
    },
    ...present({
      shared_state: sharedState && effectiveSharedState(sharedState),
      tracing: tracing && { otlp: tracing.url, sample: tracing.sampleRatio },
    }),
    logging: { level: logging.level, format: logging.format, access: logging.access },
  };
}

function effectiveLeastCost({ prefix, indexEntries, ttftObjectiveMs, fullScan }: LeastCostSettings): Written {
  return {
    prefix,
    index_entries: indexEntries,
    ttft_objective: formatDuration(ttftObjectiveMs),
    full_scan: fullScan,
  };
}

function orOff<Shown>(value: number, shown: (value: number) => Shown): Shown | 'off' {
  return value === Infinity ? 'off' : shown(value);
}

function effectiveOverload(overload: OverloadSettings): Written {
  return {
    event_loop_delay: orOff(overload.eventLoopDelayMs, formatDuration),
    heap: orOff(overload.heapRatio, (ratio) => ratio),
    open_files: orOff(overload.openFilesRatio, (ratio) => ratio),
    buffered: orOff(overload.bufferedBytes, formatSize),
  };
}

function effectiveAdmin(admin: Fleet['admin']): Written {
  if (admin === undefined) return { listen: 'off' };
  const { listen, allowedHosts, tokenSha256, tls } = admin;
  return {
    listen: formatAddress(listen),
    allowed_hosts: allowedHosts,
    ...present({ token: masked(tokenSha256), tls: effectiveServerTls(tls) }),
  };
}

/** However the key was given; the hash is no secret that opens anything, but it is nobody's business either. */
function effectiveKey({ tenant, sha256, models, priority, weight, expiresAtMs, limits }: ApiKey): Written {
  return {
    tenant,
    ...present({
      key_sha256: masked(sha256),
      models,
      priority,
      weight,
      expires: expiresAtMs && new Date(expiresAtMs).toISOString(),
      limits: limits && effectiveLimits(limits),
    }),
  };
}

function effectiveTenants(tenants: Fleet['auth']['tenants']): Written {
  const shown = [...tenants].map(([name, { limits, modelLimits }]) => {
    const ofModels = [...modelLimits].map(([model, one]) => [model, effectiveLimits(one)] as const);
    return [
      name,
      present({
        limits: limits && effectiveLimits(limits),
        model_limits: ofModels.length === 0 ? undefined : Object.fromEntries(ofModels),
      }),
    ] as const;
  });
  return Object.fromEntries(shown);
}
