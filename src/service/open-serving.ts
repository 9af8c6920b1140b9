// What one thread needs to serve callers from a fleet that is open: limits, choice, waiting room and the port.
import { randomUUID } from 'node:crypto';
import type { RateLimiter } from '../access/limiter.ts';
import type { Counters } from '../admission/counters.ts';
import { createSlots } from '../admission/slots.ts';
import type { OtherRooms } from '../admission/turns.ts';
import { type Leaving, WaitingRoom } from '../admission/waiting-room.ts';
import type { Clock } from '../clock.ts';
import type { Roster } from '../fleet/roster.ts';
import type { Fleet } from '../fleet/fleet.ts';
import type { Operations } from '../http/operations.ts';
import type { Logger } from '../log.ts';
import type { Metrics } from '../metrics/observe.ts';
import type { Readings } from '../pressure/watch.ts';
import type { AftermathParts } from '../routing/aftermath.ts';
import type { ClaimParts } from '../routing/claim.ts';
import type { Observer, Rediscovery } from '../routing/ports.ts';
import { RetryBudget } from '../routing/retry-budget.ts';
import { createRoute } from '../routing/route.ts';
import type { Snapshots } from '../routing/snapshot.ts';
import type { Candidate } from '../selection/policy.ts';
import { openTracing } from '../tracing/open.ts';
import type { Connections } from '../upstream/connections.ts';
import { createUpstream } from '../upstream/send.ts';
import { openCallers } from './open-callers.ts';
import { type LimitsParts, openLimits } from './open-limits.ts';
import type { Serving } from './serving.ts';

/** What stands for the waiting room here is one of several: `wake` serves whoever can be served here. */
export type AmongOthers = (wake: () => void) => { readonly others: OtherRooms; readonly freed: () => void };

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
  /** Told whenever a slot was released, and where. */
  readonly freed: (candidate: Candidate) => void;
  /** The one that runs now. */
  readonly fleet: () => Fleet;
  readonly discovered: Operations['discovered'];
  readonly render: Operations['metrics'];
  /** Left out: the limits of the fleet file. */
  readonly limiter: RateLimiter | undefined;
  readonly headTimeoutMs: number;
  readonly bodyTimeoutMs: number;
  readonly readings: Partial<Readings> | undefined;
  /** Left out: this thread serves alone. */
  readonly thread?: ServingThread | undefined;
}

/** One of several that serve. */
export interface ServingThread {
  /** How many there are. */
  readonly threads: number;
  readonly routerId: string;
  readonly among: AmongOthers;
  readonly limits: Required<Pick<LimitsParts, 'shared' | 'tell'>>;
  readonly learnt: AftermathParts['learnt'];
}

export function createRouterId(): string {
  return randomUUID().slice(0, 8);
}

export async function openServing(first: Fleet, parts: ServingParts): Promise<Serving> {
  const { version, log, metrics, clock, snapshots, roster, connections, inFlight, observer, freed } = parts;
  const { thread } = parts;
  const wake = () => waitingRoom.wake();
  const among = thread?.among(wake);
  const watch = {
    left: (model: string, waitedMs: number, how: Leaving) => metrics.waited(model, waitedMs, how),
    refused: (model: string) => metrics.refusedToWait(model),
  };
  const waitingRoom = new WaitingRoom(clock, watch, among?.others);
  const served = among?.freed ?? wake;
  const limits = openLimits(first, {
    log,
    metrics,
    clock,
    ...thread?.limits,
  });
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
      slots: createSlots(inFlight, (candidate) => {
        served();
        freed(candidate);
      }),
      waitingRoom,
      retryBudget,
      clock,
      observer,
      upstream: createUpstream(connections),
      rediscovery: parts.rediscovery,
      looked: parts.looked,
      learnt: thread?.learnt,
    }),
    routerId: thread?.routerId ?? createRouterId(),
    threads: thread?.threads ?? 1,
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
    caughtUp: () => Promise.resolve(),
    held: () => ({ ...callers.held(), queued: connections.queued(), waiting: waitingRoom.size }),
    abandon: () => callers.abandon(),
    drain: (how) => callers.drain(how),
    async release() {
      await limits.stop();
      await tracing.close();
    },
  };
}
