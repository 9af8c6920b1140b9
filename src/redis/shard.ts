// One server as far as limits go: whether it answers, what its clock shows, and how many replicas it has heard of. A
// single Redis is one; in a cluster each tenant has one of its own, because the tenant's counters stand on one server.
import type { Clock } from '../clock.ts';
import { Gate, type GateParts } from './gate.ts';
import { ServerTime } from './server-time.ts';

/** Fewer replicas are believed only after this long: after an outage they are heard of one by one. */
const settledAfterMs = 10_000;

export interface ShardParts {
  readonly clock: Clock;
  readonly changed: GateParts['changed'];
  /** The tenant it stands for; undefined: all. */
  readonly tenant: string | undefined;
  /** Where the replicas are counted. */
  readonly replicasKey: string;
  /** At least so many, whatever was heard. */
  readonly replicas: number;
}

export class Shard {
  readonly tenant: string | undefined;
  readonly replicasKey: string;
  readonly gate: Gate;
  readonly time = new ServerTime();
  readonly #fewest: number;
  #replicas: number;

  constructor({ clock, changed, tenant, replicasKey, replicas }: ShardParts) {
    this.tenant = tenant;
    this.replicasKey = replicasKey;
    this.gate = new Gate({ clock, changed });
    this.#fewest = replicas;
    this.#replicas = replicas;
  }

  get replicas(): number {
    return this.#replicas;
  }

  heard(alive: number): void {
    if (alive >= this.#replicas || this.gate.openForMs >= settledAfterMs)
      this.#replicas = Math.max(this.#fewest, alive);
  }
}
