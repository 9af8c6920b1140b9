// Remembers what happens for those who ask later what has: all of it bounded, and nothing of it a prompt or a message.
import type { Counters } from '../../admission/counters.ts';
import type { Clock } from '../../clock.ts';
import type { Look } from '../../routing/claim.ts';
import type { AttemptEnded, ExchangeSettled } from '../../routing/ports.ts';
import { BackendRecords } from './backend-records.ts';
import { LatestDecisions } from './latest-decisions.ts';
import { LatestFailures } from './latest-failures.ts';
import type { RequestNotes } from './request-notes.ts';
import { Traffic } from './traffic.ts';
import { createWallTime, type WallTime } from './wall-time.ts';

export class Recorder {
  readonly wallTime: WallTime;
  readonly startedMs: number;
  readonly backends = new BackendRecords();
  readonly failures = new LatestFailures();
  readonly decisions: LatestDecisions;
  readonly traffic: Traffic;
  readonly #clock: Clock;

  constructor(clock: Clock, inFlight: Counters) {
    this.#clock = clock;
    this.wallTime = createWallTime(clock);
    this.startedMs = clock.now();
    this.decisions = new LatestDecisions(inFlight);
    this.traffic = new Traffic(clock);
  }

  attempted(event: AttemptEnded): void {
    const nowMs = this.#clock.now();
    this.backends.attempted(event, nowMs);
    this.failures.attempted(event, nowMs);
  }

  settled(event: ExchangeSettled): void {
    this.traffic.settled(event);
    this.failures.settled(event, this.#clock.now());
  }

  looked(look: Look): void {
    this.decisions.looked(look);
  }

  /** What another thread has noted of its requests. */
  take({ tenants, backends, failures, decisions }: RequestNotes): void {
    const nowMs = this.#clock.now();
    for (const [tenant, counts] of tenants) this.traffic.add(tenant, counts);
    for (const [backend, notes] of backends) this.backends.add(backend, notes, nowMs);
    for (const failure of failures) this.failures.add(failure);
    for (const decision of decisions) this.decisions.add(decision);
  }

  changed(backend: string, what: string): void {
    this.backends.changed(backend, what, this.#clock.now());
  }
}
