// The limits of a fleet: in memory for one replica, through Redis for several, and who watches them.
import { createLimiter, type RateLimiter } from '../access/limiter.ts';
import { limitsByTenant } from '../access/rules.ts';
import { createVerdicts } from '../access/verdicts.ts';
import type { Clock } from '../clock.ts';
import type { Fleet } from '../fleet/fleet.ts';
import type { Logger } from '../log.ts';
import type { Metrics } from '../metrics/observe.ts';
import { createSharedLimiter } from '../redis/shared-limiter.ts';

export interface Limits {
  readonly limiter: RateLimiter;
  /** Resolves also when Redis is not there: then the fleet file says what limits are worth. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

export interface LimitsParts {
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly clock: Clock;
}

export function openLimits(fleet: Fleet, { log, metrics, clock }: LimitsParts): Limits {
  for (const [tenant, limit] of limitsByTenant(fleet)) metrics.limitKnown(tenant, limit);
  const verdicts = createVerdicts({
    headers: fleet.server.rateLimitHeaders,
    decided: (tenant, limit, decision) => metrics.limitDecided(tenant, limit, decision),
  });
  const { sharedState } = fleet;
  if (sharedState === undefined) {
    return { limiter: createLimiter(clock, verdicts), start: nothing, stop: nothing };
  }
  const watch = metrics.watchSharedState();
  const limiter = createSharedLimiter(sharedState, {
    clock,
    verdicts,
    observer: {
      ...watch,
      changed({ up, isNews, tenant, lost }) {
        watch.changed(up);
        if (!isNews) return;
        if (lost === undefined) log.info({ shared_state: 'up', tenant }, 'shared state answers: limits are exact');
        else
          log.warn(
            { shared_state: 'down', tenant, ...lost, limits: sharedState.onFailure },
            'shared state does not answer',
          );
      },
    },
  });
  return { limiter, start: () => limiter.start(), stop: () => limiter.stop() };
}

function nothing(): Promise<void> {
  return Promise.resolve();
}
