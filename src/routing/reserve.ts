// A slot for an exchange, at once or after a wait: when everybody is full, the claim is made again whenever something has
// become free.
import type { Slot, Slots } from '../admission/slots.ts';
import { roomGrowsAtMs } from '../admission/slow-start.ts';
import type { Prospect, WaitingRoom } from '../admission/waiting-room.ts';
import type { Clock } from '../clock.ts';
import { fallbackCauses } from '../fleet/fleet.ts';
import { askableAgainMs } from '../selection/eligible.ts';
import type { Candidate } from '../selection/policy.ts';
import { type ClaimParts, claim as claimAt, standIns } from './claim.ts';
import type { Delivery } from './exchange.ts';
import { whyGone } from './failures.ts';
import { inSeconds } from './patience.ts';
import type { Snapshots, Target } from './snapshot.ts';

export interface ReserveParts {
  readonly snapshots: Snapshots;
  readonly slots: Slots;
  readonly waitingRoom: WaitingRoom;
  readonly clock: Clock;
  /** Told how each choice stands; it is busy there, so it had better be brief. */
  readonly looked?: ClaimParts['looked'];
}

/**
 * Resolves with a slot.
 * @throws GatewayError `no_backend`, `overloaded`, why the caller is gone, or the failure of the last attempt when nobody
 * else can be tried.
 */
export async function reserve(parts: ReserveParts, delivery: Delivery): Promise<Slot> {
  const { exchange, target, reply } = delivery;
  const { snapshots, slots, waitingRoom, clock, looked } = parts;
  if (reply.gone.aborted) throw whyGone(reply.gone);
  const waiting = (model: string) => waitingRoom.length(model);
  const now = () => asOfNow(snapshots, delivery);
  // Whoever comes now stands behind those that wait, and behind those that wait for a model that stands in.
  const slot =
    waiting(target.model.name) === 0 ? claimAt({ slots, waiting, nowMs: clock.now(), looked }, now()) : undefined;
  if (slot !== undefined) return slot;
  const { tenant, priority, weight } = exchange.caller;
  const sinceMs = clock.now();
  const others = () => fallbackCauses.flatMap((cause) => standIns(now(), cause));
  const served = waitingRoom.enter({
    model: target.model.name,
    kind: perSnapshot(snapshots, () => kindOf(now(), others())),
    tenant,
    priority,
    weight,
    cost: exchange.cost.inputTokens + exchange.cost.outputTokens,
    maxLength: target.queue.maxLength,
    maxWaitMs: Math.min(target.queue.maxWaitMs, exchange.deadlineMs - clock.now()),
    // In turn, so that nobody is pushed past.
    claim: () => claimAt({ slots, waiting: () => 0, nowMs: clock.now(), waitsSinceMs: sinceMs, looked }, now()),
    againAtMs: () =>
      roomAgainMs(
        [now().target, ...others()].flatMap(({ candidates }) => candidates),
        clock.now(),
      ),
    gone: reply.gone,
    whyGone: () => whyGone(reply.gone),
    entered: (prospect) => exchange.patience?.tell(() => inWords(prospect()), queueComments),
  });
  return served.finally(() => {
    const waitedMs = clock.now() - sinceMs;
    exchange.queuedMs += waitedMs;
    exchange.trace?.waited(waitedMs);
  });
}

/** The first one at once: whoever wants comments wants to know that it waits. */
const queueComments = { firstMs: 0, everyMs: 5_000 };

function inWords({ position, etaMs }: Prospect): string {
  return `queued position=${position}${etaMs === undefined ? '' : ` eta=${inSeconds(etaMs)}`}`;
}

/** When time alone makes room: somebody may be asked again, or may be given more. */
function roomAgainMs(candidates: readonly Candidate[], nowMs: number): number | undefined {
  const times = [askableAgainMs(candidates, nowMs), roomGrowsAtMs(candidates, nowMs)];
  const known = times.filter((time) => time !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
}

/** All that decides which members may take it. */
function kindOf({ exchange, request, target }: Delivery, others: readonly Target[]): string {
  const fitting = [target, ...others].map(({ model, candidates }) => [
    model.name,
    candidates.map(({ member }) => Number((member.contextTokens ?? Infinity) >= exchange.contextTokens)).join(''),
  ]);
  return JSON.stringify([fitting, request.needs, [...exchange.tried], exchange.largerThanTokens, exchange.answered]);
}

/** Made anew when the fleet has changed. */
function perSnapshot(snapshots: Snapshots, make: () => string): () => string {
  let from = snapshots.current();
  let made = make();
  return () => {
    const current = snapshots.current();
    if (current !== from) [from, made] = [current, make()];
    return made;
  };
}

/**
 * With those who serve the model by now: a reload may have brought the box that those who wait are waiting for. Everything
 * else of an exchange stays as its snapshot had it; so do the members of a model that has gone.
 */
function asOfNow(snapshots: Snapshots, delivery: Delivery): Delivery {
  const { target } = delivery;
  const current = snapshots.current().targets.get(target.model.name) ?? target;
  return current === target ? delivery : { ...delivery, target: current };
}
