// The closed sets that labels take their values from, where they are the metrics' own. Names of backends, models and tenants
// come from the fleet; outcomes and results from the table of errors.
import { errorTable, type Outcome } from '../errors.ts';

/** Where the router itself takes time. */
export const overheadPhases = ['parse', 'select', 'connect', 'first_byte'] as const;

/** When a caller has left: before a backend was asked, before anything of an answer had left, or after that. */
export const leavingPhases = ['queue', 'before_first_byte', 'streaming'] as const;

/** A stream that began as one, or the rest of another's. */
export const streamPhases = ['stream', 'continuation'] as const;

export const connectionStates = ['busy', 'idle', 'pending'] as const;

export const signals = ['health', 'models', 'load'] as const;

/** Of a choice: a backend of the model itself, one of a model that stands in, or nobody. */
export const plainResults = ['best', 'fallback', 'none'] as const;
/** And where somebody was believed to hold a part of the prompt: one that holds most of that, or one that does not. */
export const affinityResults = ['affinity_hit', 'affinity_spill'] as const;
export const decisionResults = [...plainResults, ...affinityResults] as const;

/** Cached tokens of prompts, as the router believed and as the backend said. */
export const cachedTokenSources = ['predicted', 'reported'] as const;

/** Of requests for a model that the router itself refused. */
export const modelRejections = [
  'queue_full',
  'queue_timeout',
  'rate_limit',
  'limiter_unavailable',
  'no_backend',
  'draining',
] as const;
/** And of those whose model nobody has looked at. */
export const otherRejections = ['too_large', 'unauthorized', 'draining', 'overload', 'connections'] as const;

/** How a backend can fail a request. */
export const backendFailures: readonly Outcome[] = [
  ...new Set(
    Object.values(errorTable)
      .filter(({ source, blames }) => source === 'backend' && blames)
      .map(({ type }) => type),
  ),
];
