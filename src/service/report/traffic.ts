// How much the router does: totals since its start, and the last ten minutes in steps. No timer: the steps move on when
// somebody writes or reads.
import type { Clock } from '../../clock.ts';
import type { TrafficReport } from '../../fleet/report.ts';
import type { ExchangeSettled } from '../../routing/ports.ts';
import { isFault } from './faults.ts';

const everyMs = 5_000;
const steps = 120;
const kinds = ['requests', 'failed', 'input_tokens', 'output_tokens'] as const;
export type Counts = Record<(typeof kinds)[number], number>;

export class Traffic {
  readonly #clock: Clock;
  readonly #totals = noCounts();
  readonly #tenants = new Map<string, Counts>();
  /** One more than is told: the last is not over yet. */
  readonly #steps: Counts[] = Array.from({ length: steps + 1 }, noCounts);
  readonly #startMs: number;
  #step = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#startMs = clock.now();
  }

  settled(event: ExchangeSettled): void {
    this.add(event.tenant, countsOf(event));
  }

  /** What has ended now, of one tenant. */
  add(tenant: string, counts: Readonly<Counts>): void {
    addCounts(this.#totals, counts);
    addCounts(this.#now(), counts);
    const own = this.#tenants.get(tenant) ?? noCounts();
    this.#tenants.set(tenant, own);
    addCounts(own, counts);
  }

  ofTenant(tenant: string): Readonly<Counts> {
    return this.#tenants.get(tenant) ?? noCounts();
  }

  read(now: Pick<TrafficReport, 'in_flight' | 'waiting'>): TrafficReport {
    this.#now();
    const past = Array.from({ length: steps }, (_, n) => this.#at(this.#step + 1 + n));
    const column = (kind: keyof Counts) => past.map((step) => step[kind]);
    return {
      ...this.#totals,
      ...now,
      history: {
        every_seconds: everyMs / 1000,
        requests: column('requests'),
        failed: column('failed'),
        input_tokens: column('input_tokens'),
        output_tokens: column('output_tokens'),
      },
    };
  }

  /** The step that is not over yet; those between are empty. */
  #now(): Counts {
    const current = Math.floor((this.#clock.now() - this.#startMs) / everyMs);
    for (let step = Math.max(this.#step, current - steps - 1) + 1; step <= current; step++)
      Object.assign(this.#at(step), noCounts());
    this.#step = current;
    return this.#at(current);
  }

  #at(step: number): Counts {
    const index = step % (steps + 1);
    const counts = this.#steps[index];
    if (counts === undefined) throw new RangeError('no such step');
    return counts;
  }
}

export function countsOf({ error, usage }: ExchangeSettled): Counts {
  return {
    requests: 1,
    failed: isFault(error) ? 1 : 0,
    input_tokens: usage?.inputTokens ?? 0,
    output_tokens: usage?.outputTokens ?? 0,
  };
}

export function noCounts(): Counts {
  return { requests: 0, failed: 0, input_tokens: 0, output_tokens: 0 };
}

export function addCounts(to: Counts, counts: Readonly<Counts>): void {
  for (const kind of kinds) to[kind] += counts[kind];
}
