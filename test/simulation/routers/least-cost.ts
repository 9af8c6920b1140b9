// The production policies `least-cost` and `session` as a router of the simulation: candidates, asks, books and messages as in
// production, with the answers and probes of simulated backends.
import { plainCounters } from '../../../src/admission/counters.ts';
import { TokenEstimates } from '../../../src/fleet/token-estimates.ts';
import { CandidateCosts } from '../../../src/selection/placement/candidates.ts';
import { type Charge, noCharge } from '../../../src/selection/placement/charge.ts';
import { leastCostDefaults } from '../../../src/fleet/least-cost-settings.ts';
import { Placement } from '../../../src/selection/placement/placement.ts';
import type { Ask, Candidate, Policy, PolicyMaker } from '../../../src/selection/policy.ts';
import type { Profile } from '../replica/profiles.ts';
import type { TraceRequest } from '../trace/trace.ts';
import { type Asks, asksOf } from './asks.ts';
import { candidatesOf } from './candidates.ts';
import type { News, Placement as Placed, Reading, Router, RouterParts } from './router.ts';

export interface LeastCostSettings {
  /** There are other routers, and nothing is heard of them: Redis is away. */
  readonly alone?: boolean;
  /** Without looking at prompts. */
  readonly prefix?: boolean;
  /** Of the production assumptions about machines, so many times as slow. */
  readonly constants?: number;
  /** What the simulated machines really cost, in place of the production assumptions. */
  readonly exact?: boolean;
}

/** Tokens that come between one word of the replica and the next. */
const toldTokens = 64;
/** Messages from one that tells of everything to the next. */
const everythingEvery = 50;

export class LeastCostRouter implements Router {
  readonly #parts: RouterParts;
  readonly #policy: Policy;
  readonly #costs: CandidateCosts;
  readonly #candidates: readonly Candidate[];
  readonly #inFlight = plainCounters();
  readonly #estimates = new TokenEstimates();
  readonly #asks: Asks;
  #messages = 0;

  constructor(parts: RouterParts, make: PolicyMaker, settings: LeastCostSettings) {
    const { routers, weights, trace, time, random, sessionHeaders, profile, kvTokens } = parts;
    this.#parts = parts;
    this.#asks = asksOf(trace, { sessions: sessionHeaders });
    const placement = new Placement(time, random, { ...leastCostDefaults, prefix: settings.prefix ?? true });
    placement.cutOff = routers > 1 && settings.alone === true;
    this.#costs = new CandidateCosts(placement, time, this.#inFlight);
    this.#policy = make({ clock: time, inFlight: this.#inFlight, random, costs: this.#costs });
    this.#candidates = candidatesOf(weights, {
      kvTokens,
      ...(profile.slots === undefined ? {} : { slots: profile.slots }),
    });
    this.#assume(settings);
  }

  place(request: TraceRequest, able: readonly number[]): Placed {
    const ask = this.#asks.of(request, this.#estimates);
    const [first] = this.#policy.rank(
      able.flatMap((backend) => this.#candidates[backend] ?? []),
      ask,
    );
    if (first === undefined) throw new Error('nobody to send it to');
    const backend = first.state.index;
    const charge = this.#policy.book?.(first, ask) ?? noCharge;
    this.#inFlight.add(backend, 1);
    return this.#placed(backend, charge, { request, ask });
  }

  news(): News {
    const message = this.#costs.placement.outgoing({ all: this.#messages++ % everythingEvery === 0 });
    const name = nameOf(this.#parts.id);
    return (peer) => {
      if (!(peer instanceof LeastCostRouter)) return;
      const { placement } = peer.#costs;
      placement.cutOff = false;
      placement.incoming(name, message);
    };
  }

  forget(peer: number): void {
    const { placement } = this.#costs;
    placement.peers.forget(nameOf(peer));
    placement.cutOff = placement.peers.size === 0;
  }

  scraped(backend: number, { running, waiting, kvUse }: Reading): void {
    const state = this.#candidates[backend]?.state;
    const { kvTokens, time } = this.#parts;
    if (state === undefined) return;
    state.signals.load = { reading: { running, waiting, kvUsage: kvUse, kvTokens }, atMs: time.now(), everyMs: 1000 };
  }

  restarted(backend: number): void {
    const state = this.#candidates[backend]?.state;
    if (state !== undefined) state.backSinceMs = this.#parts.time.now();
  }

  #placed(backend: number, charge: Charge, { request, ask }: { request: TraceRequest; ask: Ask }): Placed {
    return {
      backend,
      firstToken: () => charge.token(),
      grew: () => {
        for (let token = 0; token < toldTokens; token++) charge.token();
      },
      ended: ({ ok, cachedTokens, generated }) => {
        if (ok) {
          charge.answered({ cachedTokens });
          this.#estimates.learnInput(ask.fields.totalTextBytes, request.input);
          this.#estimates.learnAnswer(ask.tenant, generated);
        }
        charge.end();
        this.#inFlight.add(backend, -1);
      },
    };
  }

  /** Other machines than production assumes. */
  #assume({ constants = 1, exact = false }: LeastCostSettings): void {
    if (constants === 1 && !exact) return;
    const { trace, profile } = this.#parts;
    const [request] = trace.requests;
    if (request === undefined) return;
    // Being asked about makes them known.
    for (const candidate of this.#candidates) this.#policy.score?.(candidate, this.#asks.of(request, this.#estimates));
    const { of } = this.#costs.placement.loads;
    for (const [column, cost] of Object.entries(columns)) {
      const name = column as keyof typeof columns;
      for (const { state } of this.#candidates)
        of[name][state.index] = exact ? profile[cost] : (of[name][state.index] ?? 0) * constants;
    }
  }
}

const columns = {
  perToken: 'cp',
  attention: 'ca',
  perStep: 's0',
  perSequence: 's1',
  perResident: 's2',
} as const satisfies Record<string, keyof Profile>;

function nameOf(router: number): string {
  return `r${router}`;
}
