// What one thread needs to serve callers from a fleet that is open: limits, choice, waiting room and the port.
import type { RateLimiter } from '../access/limiter.ts';
import type { Counters } from '../admission/counters.ts';
import { createSlots } from '../admission/slots.ts';
import { WaitingRoom } from '../admission/waiting-room.ts';
import type { Clock } from '../clock.ts';
import type { Roster } from '../fleet/roster.ts';
import type { Fleet } from '../fleet/fleet.ts';
import type { Operations } from '../http/operations.ts';
import type { Logger } from '../log.ts';
import type { Metrics } from '../metrics/observe.ts';
import type { Readings } from '../pressure/watch.ts';
import type { ClaimParts } from '../routing/claim.ts';
import type { Observer, Rediscovery } from '../routing/ports.ts';
import { RetryBudget } from '../routing/retry-budget.ts';
import { createRoute } from '../routing/route.ts';
import type { Snapshots } from '../routing/snapshot.ts';
import { openTracing } from '../tracing/open.ts';
import type { Connections } from '../upstream/connections.ts';
import { createUpstream } from '../upstream/send.ts';
import { openCallers } from './open-callers.ts';
import { openLimits } from './open-limits.ts';
import type { Serving } from './serving.ts';

export interface ServingParts {
  readonly version: string;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly snapshots: Snapshots;
  readonly roster: Roster;
  readonly connections: Connections;
  readonly rediscovery: Rediscovery;
  readonly inFlight: Counters;
  readonly observer: Observer;
  readonly looked: ClaimParts['looked'];
  /** Told whenever a slot was released. */
  readonly freed: () => void;
  /** The one that runs now. */
  readonly fleet: () => Fleet;
  readonly discovered: Operations['discovered'];
  readonly render: Operations['metrics'];
  /** Left out: the limits of the fleet file. */
  readonly limiter: RateLimiter | undefined;
  readonly headTimeoutMs: number;
  readonly bodyTimeoutMs: number;
  readonly readings: Partial<Readings> | undefined;
}

export async function openServing(first: Fleet, parts: ServingParts): Promise<Serving> {
  const { version, log, metrics, clock, snapshots, roster, connections, inFlight, observer, freed } = parts;
  const waitingRoom = new WaitingRoom(clock, {
    left: (model, waitedMs, how) => metrics.waited(model, waitedMs, how),
    refused: (model) => metrics.refusedToWait(model),
  });
  const wake = () => waitingRoom.wake();
  const limits = openLimits(first, { log, metrics, clock });
  const retryBudget = new RetryBudget(first.routing.retryBudgetRatio);
  const tracing = await openTracing(first.tracing, {
    version,
    changed(takes) {
      if (takes) log.info({ traces: 'taken' }, 'the collector takes traces again');
      else log.warn({ traces: 'lost' }, 'the collector of traces has not taken them (tracing.otlp)');
    },
  });
  const callers = openCallers(first, {
    ...parts,
    route: createRoute({
      snapshots,
      roster,
      limiter: parts.limiter ?? limits.limiter,
      slots: createSlots(inFlight, () => {
        wake();
        freed();
      }),
      waitingRoom,
      retryBudget,
      clock,
      observer,
      upstream: createUpstream(connections),
      rediscovery: parts.rediscovery,
      looked: parts.looked,
    }),
    trace: tracing.begin,
  });
  return {
    operations: callers.operations,
    levels: limits.limiter,
    sharedState: () => limits.sharedState(),
    queues: () => waitingRoom.lengths,
    wake,
    async listen() {
      await limits.start();
      return callers.listen();
    },
    start: () => callers.start(),
    apply(next) {
      limits.apply(next);
      retryBudget.configure(next.routing.retryBudgetRatio);
      callers.apply(next);
    },
    held: () => ({ ...callers.held(), queued: connections.queued(), waiting: waitingRoom.size }),
    abandon: () => callers.abandon(),
    drain: (how) => callers.drain(how),
    async release() {
      await limits.stop();
      await tracing.close();
    },
  };
}
