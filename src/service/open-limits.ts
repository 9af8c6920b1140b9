// The limits of a fleet: in memory for one replica, through Redis for several, and who watches them.
import type { Ledger } from '../access/ledger.ts';
import { createLimiter, type LimitLevels, type RateLimiter } from '../access/limiter.ts';
import { limitsByTenant } from '../access/rules.ts';
import { createVerdicts } from '../access/verdicts.ts';
import type { Clock } from '../clock.ts';
import type { Fleet } from '../fleet/fleet.ts';
import type { SharedStateSettings } from '../fleet/shared-state.ts';
import type { Logger } from '../log.ts';
import type { Metrics } from '../metrics/observe.ts';
import { createSharedLimiter } from '../redis/shared-limiter.ts';
import type { StateChange } from '../redis/shared-state.ts';
import { tellSharedState } from './tell-shared-state.ts';

export interface Limits {
  readonly limiter: RateLimiter & LimitLevels;
  /** Whether shared state answers; undefined: there is none. */
  sharedState(): { readonly up: boolean; readonly onFailure: SharedStateSettings['onFailure'] } | undefined;
  /** What is counted stays; what it is held against comes with each caller. */
  apply(fleet: Fleet): void;
  /** Resolves also when Redis is not there: then the fleet file says what limits are worth. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

export interface LimitsParts {
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly clock: Clock;
  /** What the threads of a replica share: the counters, and the name that the other replicas know it by. */
  readonly shared?: { readonly ledger: Ledger; readonly replica: string };
  /** Told instead of the log when shared state is lost or back. */
  readonly tell?: (change: StateChange) => void;
}

export function openLimits(fleet: Fleet, { log, metrics, clock, shared, tell }: LimitsParts): Limits {
  let style = fleet.server.rateLimitHeaders;
  const apply = ({ auth, models, server }: Fleet) => {
    for (const [tenant, limit] of limitsByTenant({ auth, models })) metrics.limitKnown(tenant, limit);
    style = server.rateLimitHeaders;
  };
  apply(fleet);
  const verdicts = createVerdicts({
    get headers() {
      return style;
    },
    decided: (tenant, limit, decision) => metrics.limitDecided(tenant, limit, decision),
  });
  const { sharedState } = fleet;
  if (sharedState === undefined) {
    const limiter = createLimiter(clock, verdicts, shared?.ledger);
    return { limiter, sharedState: () => undefined, apply, start: nothing, stop: nothing };
  }
  const watch = metrics.watchSharedState();
  let isUp = false;
  const limiter = createSharedLimiter(sharedState, {
    clock,
    verdicts,
    ...shared,
    observer: {
      ...watch,
      changed(change) {
        watch.changed(change.up);
        isUp = change.up;
        if (tell !== undefined) tell(change);
        else if (change.isNews) tellSharedState(log, sharedState, change);
      },
    },
  });
  return {
    limiter,
    sharedState: () => ({ up: isUp, onFailure: sharedState.onFailure }),
    apply,
    start: () => limiter.start(),
    stop: () => limiter.stop(),
  };
}

function nothing(): Promise<void> {
  return Promise.resolve();
}
