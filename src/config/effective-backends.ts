// Backends and models in the words of fleet.yaml; what `defaults` says has gone into each backend.
import type { Group } from '../fleet/discovery.ts';
import type {
  Backend,
  CircuitSettings,
  ModelSettings,
  ProbeSettings,
  QueueSettings,
  Timeouts,
} from '../fleet/fleet.ts';
import { effectiveClientTls, effectiveLimits, masked, type Written } from './effective-values.ts';
import { present } from './present.ts';
import { formatDuration } from './units.ts';

export function effectiveBackend(backend: Backend): Written {
  const { bearer, simulate } = backend;
  return {
    name: backend.name,
    engine: backend.engine,
    ...present({ url: backend.url }),
    weight: backend.weight,
    state: backend.state,
    ...present({
      models: backend.models,
      max_in_flight: backend.maxInFlight,
      auth: bearer === undefined ? undefined : { bearer: masked(bearer) },
      tls: backend.tls && effectiveClientTls(backend.tls),
      capabilities: backend.capabilities,
      context: backend.contextTokens,
    }),
    usage: backend.usage,
    probe: effectiveProbe(backend.probe),
    timeouts: effectiveTimeouts(backend.timeouts),
    circuit: effectiveCircuit(backend.circuit),
    stall_after: formatDuration(backend.stallAfterMs),
    ...present({
      simulate: simulate && {
        models: simulate.models,
        first_token: formatDuration(simulate.firstTokenMs),
        tokens_per_second: simulate.tokensPerSecond,
      },
    }),
  };
}

/** Backends that are looked for, in place of a URL. */
export function effectiveGroup({ name, template, scheme, source, everyMs }: Group): Written {
  const secure = scheme === 'https' ? { tls: {} } : {};
  const where =
    source.kind === 'dns'
      ? { dns: source.name, ...present({ port: source.port }) }
      : { kubernetes: { service: source.service, ...present({ namespace: source.namespace }), port: source.port } };
  return { ...secure, ...effectiveBackend(template), name, discover: { ...where, every: formatDuration(everyMs) } };
}

export function effectiveModel(model: ModelSettings): Written {
  const { timeouts, queue, limits } = model;
  return {
    aliases: model.aliases,
    backend_names: Object.fromEntries(model.backendNames),
    ...present({
      capabilities: model.capabilities,
      context: model.contextTokens,
      timeouts: timeouts && effectiveTimeouts(timeouts),
      queue: queue && effectiveQueue(queue),
      continuation: model.continuation,
      fallback: model.fallback,
      limits: limits && effectiveLimits(limits),
    }),
  };
}

export function effectiveQueue({ maxLength, maxWaitMs, comments }: Partial<QueueSettings>): Written {
  return present({ max_length: maxLength, max_wait: duration(maxWaitMs), comments });
}

/** What is left out is the engine's. */
function effectiveProbe({ intervalMs, timeoutMs, upAfter, downAfter }: ProbeSettings): Written {
  return {
    ...present({ interval: duration(intervalMs), timeout: duration(timeoutMs) }),
    up_after: upAfter,
    down_after: downAfter,
  };
}

function effectiveTimeouts(timeouts: Partial<Timeouts>): Written {
  return present({
    connect: duration(timeouts.connectMs),
    first_byte: duration(timeouts.firstByteMs),
    first_byte_plain: duration(timeouts.firstBytePlainMs),
    gap: duration(timeouts.gapMs),
    total: duration(timeouts.totalMs),
  });
}

function effectiveCircuit(circuit: CircuitSettings): Written {
  return {
    consecutive: circuit.consecutive,
    window: formatDuration(circuit.windowMs),
    min_requests: circuit.minRequests,
    failure_ratio: circuit.failureRatio,
    open_for: formatDuration(circuit.openForMs),
    growth: circuit.growth,
    open_max: formatDuration(circuit.openMaxMs),
  };
}

function duration(ms: number | undefined): string | undefined {
  return ms === undefined ? undefined : formatDuration(ms);
}
