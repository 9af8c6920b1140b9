// Between what routing knows of a backend and what placement does: candidates become dense indexes, and whatever has changed
// about one of them is told on the way. One for all models, for backends have many.
import { shareOf } from '../../admission/slow-start.ts';
import type { Counters } from '../../admission/counters.ts';
import type { Clock } from '../../clock.ts';
import type { BackendState } from '../../fleet/backend-state.ts';
import type { Backend } from '../../fleet/fleet.ts';
import type { LoadSignal } from '../../fleet/signals.ts';
import type { Candidate } from '../policy.ts';
import type { Appraisal } from './cost.ts';
import { hashOfText } from './fingerprint.ts';
import type { Standing } from './loads.ts';
import { machineOf } from './machines.ts';
import type { Job, Placement } from './placement.ts';

/** What a backend was when it was last looked at. */
interface Known {
  readonly state: BackendState;
  readonly cohort: number;
  backend: Backend;
  engine: string;
  discovered: BackendState['discovered'];
  backSinceMs: number | undefined;
  load: LoadSignal | undefined;
}

type Models = ReadonlyMap<string, { readonly candidates: readonly Candidate[] }>;

export class CandidateCosts {
  readonly placement: Placement;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #inFlight: Counters;
  readonly #known: Known[] = [];
  readonly #cohorts = new Map<string, number>();
  #indexes = new Int32Array(64);
  #roll: { readonly of: Models | undefined; readonly indexes: readonly number[] } = { of: undefined, indexes: [] };

  constructor(placement: Placement, clock: Pick<Clock, 'now'>, inFlight: Counters) {
    this.placement = placement;
    this.#clock = clock;
    this.#inFlight = inFlight;
  }

  /** Those that are compared, cheapest first, then the others from a random one on, in case all of these are full. */
  rank(candidates: readonly Candidate[], job: Job, random: () => number): readonly Candidate[] {
    const { placement } = this;
    const { shortlist } = placement;
    const count = candidates.length;
    placement.gather(this.#indexesOf(candidates), count, job);
    const nowMs = this.#clock.now();
    for (let n = 0; n < shortlist.count; n++) {
      const candidate = candidates[shortlist.positions[n] ?? 0];
      if (candidate !== undefined) this.#look(candidate, nowMs);
    }
    placement.compare(job);
    const ranked = candidates.slice();
    let next = 0;
    const add = (position: number) => {
      const candidate = candidates[position];
      if (candidate !== undefined) ranked[next++] = candidate;
    };
    for (let n = 0; n < shortlist.count; n++) add(shortlist.positions[n] ?? 0);
    if (shortlist.count === count) return ranked;
    const from = Math.floor(random() * count);
    for (let position = from; position < count; position++) if (!shortlist.isTaken(position)) add(position);
    for (let position = 0; position < from; position++) if (!shortlist.isTaken(position)) add(position);
    return ranked;
  }

  /** What it would cost there. */
  appraise(candidate: Candidate, job: Job): Appraisal {
    this.#look(candidate, this.#clock.now());
    return this.placement.appraise(candidate.state.index, job);
  }

  /** Indexes of all backends of these models, each of them met; the same array for as long as the models are the same. */
  roll(models: Models): readonly number[] {
    if (this.#roll.of === models) return this.#roll.indexes;
    const indexes = new Set<number>();
    for (const { candidates } of models.values()) {
      for (const candidate of candidates) {
        const { state } = candidate;
        if (this.#known[state.index]?.state !== state) this.#meet(candidate);
        indexes.add(state.index);
      }
    }
    this.#roll = { of: models, indexes: [...indexes] };
    return this.#roll.indexes;
  }

  /** Whoever is not known is met. */
  #indexesOf(candidates: readonly Candidate[]): Int32Array {
    if (candidates.length > this.#indexes.length) this.#indexes = new Int32Array(2 * candidates.length);
    let position = 0;
    for (const candidate of candidates) {
      const { state } = candidate;
      this.#indexes[position++] = state.index;
      if (this.#known[state.index]?.state !== state) this.#meet(candidate);
    }
    return this.#indexes;
  }

  /** What has changed about it. */
  #look(candidate: Candidate, nowMs: number): void {
    const { state, memberState } = candidate;
    const { index } = state;
    const known = this.#known[index];
    const of = this.placement.loads.of;
    if (known?.state !== state) this.#meet(candidate);
    else this.#follow(known, candidate);
    of.handicap[index] = (1 + memberState.failures.at(nowMs)) / shareOf(candidate, nowMs);
    of.slots[index] = candidate.maxInFlight;
    of.counted[index] = this.#inFlight.read(index);
  }

  #follow(known: Known, { state, backend, engine }: Candidate): void {
    const { index, signals, discovered, backSinceMs } = state;
    if (known.backSinceMs !== backSinceMs) {
      known.backSinceMs = backSinceMs;
      this.placement.restarted(index);
    }
    const { load } = signals;
    const isSame = known.backend === backend && known.engine === engine.name && known.discovered === discovered;
    if (isSame && known.load === load) return;
    const hasSpoken = load !== undefined && known.load !== load;
    const before = capacityOf(known);
    Object.assign(known, { backend, engine: engine.name, discovered, load });
    if (!isSame || before !== capacityOf(known)) this.placement.update(index, standingOf(known));
    if (!hasSpoken) return;
    const { running, waiting, kvUsage } = load.reading;
    this.placement.reported(index, { requests: running + waiting, kvUsage, atMs: load.atMs });
  }

  #meet({ state, backend, engine, model }: Candidate): void {
    const cohort = this.#cohorts.get(model) ?? this.#cohorts.size;
    this.#cohorts.set(model, cohort);
    const { backSinceMs, discovered, signals } = state;
    const known = { state, cohort, backend, engine: engine.name, discovered, backSinceMs, load: signals.load };
    this.#known[state.index] = known;
    this.placement.join(state.index, standingOf(known));
  }
}

function standingOf(known: Known): Standing {
  const { backend, engine, cohort } = known;
  const machine = machineOf(engine);
  const capacityTokens = capacityOf(known);
  return {
    id: hashOfText(backend.name),
    weight: backend.weight,
    cohort,
    machine: capacityTokens === undefined ? machine : { ...machine, capacityTokens },
  };
}

/** As it says itself, with its load or with its models. */
function capacityOf({ load, discovered }: Pick<Known, 'load' | 'discovered'>): number | undefined {
  return load?.reading.kvTokens ?? discovered?.find(({ kvTokens }) => kvTokens !== undefined)?.kvTokens;
}
