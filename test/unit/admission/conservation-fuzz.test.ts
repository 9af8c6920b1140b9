// Slots and the waiting room together, with everything happening in any order: no slot is lost, given twice or left unused
// while somebody waits whom it fits.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { plainCounters } from '../../../src/admission/counters.ts';
import { createSlots, type Slot } from '../../../src/admission/slots.ts';
import { WaitingRoom } from '../../../src/admission/waiting-room.ts';
import { GatewayError } from '../../../src/errors.ts';
import { priorities } from '../../../src/fleet/fleet.ts';
import type { Candidate } from '../../../src/selection/policy.ts';
import { aCandidate } from '../../support/candidates.ts';
import { fakeClock } from '../../support/fake-clock.ts';

interface Ask {
  readonly model: string;
  /** Which backends may serve it, as bits. */
  readonly fits: number;
  readonly tenant: string;
  readonly priority: (typeof priorities)[number];
  readonly cost: number;
  readonly maxWaitMs: number;
}

interface Request extends Ask {
  readonly caller: AbortController;
  state: 'waiting' | 'running' | 'over';
}

const limits = [1, 2, 3];

/** The router's own parts around backends that only exist as numbers; `reserve` in small. */
class World {
  readonly clock = fakeClock();
  readonly counters = plainCounters();
  readonly candidates: readonly Candidate[] = limits.map((maxInFlight) => aCandidate({ maxInFlight }));
  readonly slots = createSlots(this.counters, () => this.room.wake());
  readonly room = new WaitingRoom(this.clock, { left: () => {}, refused: () => {} });
  readonly requests: Request[] = [];
  readonly running = new Map<Request, Slot>();
  readonly problems: string[] = [];
  readonly #restingUntil = new Map<Candidate, number>();

  ask(ask: Ask): void {
    const request: Request = { ...ask, caller: new AbortController(), state: 'waiting' };
    this.requests.push(request);
    let slot: Slot | undefined;
    try {
      slot = this.room.length(ask.model) === 0 ? this.#claim(request) : undefined;
    } catch {
      request.state = 'over';
      return;
    }
    if (slot === undefined) this.#wait(request);
  }

  /** It has ended, well or not. A backend that is full says when to come again. */
  end(at: number, restMs: number): void {
    const [request, slot] = [...this.running][at % Math.max(1, this.running.size)] ?? [];
    if (request === undefined || slot === undefined) return;
    if (restMs > 0) this.#restingUntil.set(slot.candidate, this.clock.now() + restMs);
    this.running.delete(request);
    request.state = 'over';
    slot.release();
    slot.release();
  }

  hangUp(at: number): void {
    const request = this.requests[at % Math.max(1, this.requests.length)];
    request?.caller.abort();
    const slot = request === undefined ? undefined : this.running.get(request);
    if (request === undefined || slot === undefined) return;
    this.running.delete(request);
    request.state = 'over';
    slot.release();
  }

  /** What must hold between any two events. */
  check(): void {
    for (const [at, { state }] of this.candidates.entries()) {
      const held = [...this.running.values()].filter(({ candidate }) => candidate === this.candidates[at]).length;
      if (this.counters.read(state.index) !== held) this.problems.push(`backend ${at} counts wrong`);
      if (held > (limits[at] ?? 0)) this.problems.push(`backend ${at} has more than fit`);
    }
    const waiting = this.requests.filter(({ state }) => state === 'waiting');
    if (this.room.size !== waiting.length) this.problems.push(`${this.room.size} for ${waiting.length} wait`);
    for (const request of waiting) {
      if (this.#usable(request).some((candidate) => this.#hasRoom(candidate)))
        this.problems.push('somebody waits in front of a free slot');
    }
  }

  #wait(request: Request): void {
    const { model, fits, caller } = request;
    const entered = this.room.enter({
      ...request,
      kind: () => `${model} ${fits}`,
      weight: 1,
      maxLength: 8,
      claim: () => this.#claim(request),
      againAtMs: () => {
        const times = this.#fitting(request).map((candidate) => this.#restingUntil.get(candidate) ?? 0);
        const later = times.filter((time) => time > this.clock.now());
        return later.length === 0 ? undefined : Math.min(...later);
      },
      gone: caller.signal,
      whyGone: () => new GatewayError('client_closed', 'gone'),
    });
    const refused = () => {
      if (request.state === 'running') this.problems.push('served and refused');
      request.state = 'over';
    };
    entered.then(() => void (request.state === 'waiting' && this.problems.push('served without a claim')), refused);
  }

  #claim(request: Request): Slot | undefined {
    if (request.state !== 'waiting') this.problems.push('asked for one that does not wait');
    const usable = this.#usable(request);
    if (usable.length === 0) {
      request.state = 'over';
      throw new GatewayError('overloaded', 'nobody may be asked');
    }
    const slot = this.slots.claim(usable, this.clock.now());
    if (slot === undefined) return undefined;
    request.state = 'running';
    this.running.set(request, slot);
    return slot;
  }

  #fitting({ fits }: Request): readonly Candidate[] {
    return this.candidates.filter((_, at) => (fits & (1 << at)) !== 0);
  }

  #usable(request: Request): readonly Candidate[] {
    return this.#fitting(request).filter((candidate) => this.clock.now() >= (this.#restingUntil.get(candidate) ?? 0));
  }

  #hasRoom({ state, maxInFlight }: Candidate): boolean {
    return this.counters.read(state.index) < maxInFlight;
  }
}

const ask = fc.record({
  model: fc.constantFrom('m', 'n'),
  fits: fc.integer({ min: 1, max: 7 }),
  tenant: fc.constantFrom('a', 'b', 'c'),
  priority: fc.constantFrom(...priorities),
  cost: fc.nat(500),
  maxWaitMs: fc.constantFrom(50, 1_000, 30_000),
});
const step = fc.oneof(
  { weight: 4, arbitrary: ask.map((wishes) => (world: World) => world.ask(wishes)) },
  {
    weight: 3,
    arbitrary: fc.tuple(fc.nat(), fc.constantFrom(0, 0, 0, 1, 700)).map(
      ([at, restMs]) =>
        (world: World) =>
          world.end(at, restMs),
    ),
  },
  { weight: 1, arbitrary: fc.nat().map((at) => (world: World) => world.hangUp(at)) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(0, 1, 49, 50, 400, 1_000, 30_000).map((ms) => (world: World) => world.clock.advance(ms)),
  },
);

/** Promises that are settled tell so a turn later. */
const told = async (): Promise<void> => {
  for (let turn = 0; turn < 3; turn++) await Promise.resolve();
};

describe('slots and those that wait for them', () => {
  it('are conserved whatever happens in whatever order', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60, size: 'max' }), async (steps) => {
        const world = new World();
        for (const happen of steps) {
          happen(world);
          await told();
          world.check();
          expect(world.problems).toEqual([]);
        }
        // Everything ends: who runs is done, and who still waits then is served and done, or has waited too long.
        for (let turn = 0; world.running.size > 0 || world.room.size > 0; turn++) {
          if (turn > 1_000) throw new Error('it never ends');
          if (world.running.size > 0) world.end(0, 0);
          else world.clock.advance(30_000);
          await told();
        }
        const { clock, counters, candidates, room, requests, problems } = world;
        expect({
          counts: candidates.map(({ state }) => counters.read(state.index)),
          timers: clock.waiting,
          lengths: room.lengths.size,
          unended: requests.filter(({ state }) => state !== 'over').length,
          problems,
        }).toEqual({ counts: [0, 0, 0], timers: 0, lengths: 0, unended: 0, problems: [] });
      }),
      { numRuns: 400 },
    );
  });
});
