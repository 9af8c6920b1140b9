// The fleet as a thread has it that serves from it: what its owner tells, with connections of its own. Nothing is probed or decided
// here but what the requests of this thread show at once.
import { createKeyring, type Keyring } from '../../access/keyring.ts';
import type { Counters } from '../../admission/counters.ts';
import type { Clock } from '../../clock.ts';
import { type BackendState, forgetRefusals } from '../../fleet/backend-state.ts';
import { identityOf } from '../../fleet/changes.ts';
import { type Circuit, plainCircuitWords } from '../../fleet/circuit.ts';
import type { Backend, Fleet } from '../../fleet/fleet.ts';
import { Roster } from '../../fleet/roster.ts';
import { Silence } from '../../fleet/silence.ts';
import { buildSnapshot, createSnapshots, type Snapshot, type Snapshots } from '../../routing/snapshot.ts';
import type { Candidate } from '../../selection/policy.ts';
import { CandidateCosts } from '../../selection/placement/candidates.ts';
import { Placement } from '../../selection/placement/placement.ts';
import { type Connections, createConnections } from '../../upstream/connections.ts';
import { rememberingLookup } from '../../upstream/remembered-names.ts';
import type { Table } from '../../workers/memory.ts';
import { RemoteCircuit } from '../../workers/remote-circuit.ts';
import { remoteLimit, sharedEars, showStalled } from '../../workers/shared-backends.ts';
import { SharedCircuitWords } from '../../workers/shared-circuits.ts';
import { policyOf } from '../policy-of.ts';
import type { CircuitPlace, FleetNews, FromWorker, MemberNews, StateNews } from './messages.ts';
import type { Outbox } from './outbox.ts';

export interface MirrorParts {
  readonly worker: number;
  readonly table: Table;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly inFlight: Counters;
  readonly outbox: Outbox;
  readonly tell: (message: FromWorker) => void;
  /** A backend may be able to take what it could not take before. */
  readonly usable: () => void;
}

export class MirroredFleet {
  readonly roster: Roster;
  readonly connections: Connections;
  readonly snapshots: Snapshots;
  readonly #parts: MirrorParts;
  readonly #costs: CandidateCosts;
  readonly #backends = new Map<string, Backend>();
  readonly #indexes = new Map<string, number>();
  readonly #places = new Map<string, CircuitPlace>();
  readonly #placesById = new Map<number, CircuitPlace>();
  readonly #models = new Map<string, number>();
  #urls: ReadonlyMap<string, string> = new Map();
  #fleet: Fleet;
  #keyring: Keyring;
  #unheard = 0;
  #isDiscovered = false;

  constructor(first: FleetNews & { readonly fleet: Fleet }, parts: MirrorParts) {
    const { clock, worker, table, inFlight, outbox, tell } = parts;
    this.#parts = parts;
    this.#fleet = first.fleet;
    this.#keyring = createKeyring(first.fleet);
    this.#costs = new CandidateCosts(
      new Placement(clock, parts.random, first.fleet.routing.leastCost),
      clock,
      inFlight,
    );
    this.connections = createConnections({
      lookup: rememberingLookup(clock),
      urlOf: (backend) => backend.url ?? this.#urls.get(identityOf(backend)) ?? 'http://127.0.0.1:9',
    });
    this.roster = new Roster({
      indexOf: (backend) => this.#indexes.get(identityOf(backend)) ?? 0,
      circuit: (backend, model) => this.#circuitOf(backend, model),
      holdOff: (backend, model) => this.#wordsOf(backend, model),
      silence({ stallAfterMs }, index) {
        const changed = (stalled: boolean) => {
          showStalled(table, worker, index, stalled);
          tell({ kind: 'stalled', backend: index });
          parts.usable();
        };
        const recovered = () => tell({ kind: 'heard', backend: index, atMs: clock.now() });
        const others = sharedEars(table, index, { counters: inFlight, recovered });
        return new Silence({ clock, stallAfterMs, changed, others });
      },
      limit: (_backend, index) => remoteLimit(table, index, (news) => outbox.limit(news)),
    });
    this.#note(first);
    this.snapshots = createSnapshots(this.#build());
  }

  get fleet(): Fleet {
    return this.#fleet;
  }

  get isDiscovered(): boolean {
    return this.#isDiscovered;
  }

  get placement(): Placement {
    return this.#costs.placement;
  }

  /** See `CandidateCosts.roll`. */
  roll(): readonly number[] {
    return this.#costs.roll(this.snapshots.current().targets);
  }

  get models(): ReadonlyMap<string, number> {
    return this.#models;
  }

  apply(news: FleetNews): void {
    const isChanged = this.#note(news);
    if (news.fleet !== undefined) this.snapshots.publish(this.#build());
    else if (isChanged) this.snapshots.renew(() => this.#build());
  }

  /** What another worker, or the owner, has found out about a member. */
  learn({ circuit, failure, unable, proven, backSinceMs }: MemberNews): void {
    const place = this.#placesById.get(circuit);
    const member = place && this.roster.known(place.backend)?.members.get(place.model);
    if (member === undefined) return;
    if (failure === 'none') member.failures.clear();
    else if (failure !== undefined) member.failures.add(failure.atMs);
    member.backSinceMs = backSinceMs;
    for (const [capability, untilMs] of unable) member.unable.set(capability, untilMs);
    for (const capability of proven) member.proven.add(capability);
  }

  /** For the owner and the other workers; undefined: it is not shared. */
  newsOf({ backend, model, memberState }: Candidate): MemberNews | undefined {
    const id = this.#places.get(keyOf(identityOf(backend), model))?.id;
    if (id === undefined) return undefined;
    const { unable, proven, backSinceMs } = memberState;
    return { circuit: id, unable: [...unable], proven: [...proven], backSinceMs };
  }

  heard(index: number, atMs: number): void {
    for (const state of this.roster.all()) if (state.index === index) state.silence.heard(atMs);
  }

  async cut(identity: string): Promise<void> {
    const backend = this.#backends.get(identity);
    if (backend !== undefined) await this.connections.drop(backend);
  }

  async forget(identity: string): Promise<void> {
    this.roster.forgetIdentity(identity);
    for (const [key, place] of this.#places) {
      if (place.backend !== identity) continue;
      this.#places.delete(key);
      this.#placesById.delete(place.id);
    }
    await this.cut(identity);
    this.#backends.delete(identity);
    this.#indexes.delete(identity);
  }

  /** Whether there may be other models, or other backends for them. */
  #note({ fleet, states, circuits, models, urls, unheard, discovered }: FleetNews): boolean {
    this.#unheard = unheard;
    this.#isDiscovered = discovered;
    this.#urls = urls ?? this.#urls;
    for (const [model, number] of models) this.#models.set(model, number);
    for (const place of circuits) {
      this.#places.set(keyOf(place.backend, place.model), place);
      this.#placesById.set(place.id, place);
    }
    for (const { backend, index } of states) this.#indexes.set(backend, index);
    if (fleet !== undefined) this.#take(fleet);
    let isChanged = false;
    for (const news of states) isChanged = this.#update(news) || isChanged;
    return isChanged;
  }

  #take(fleet: Fleet): void {
    this.#costs.placement.configure(fleet.routing.leastCost);
    this.#fleet = fleet;
    this.#keyring = createKeyring(fleet);
    for (const backend of fleet.backends) {
      const identity = identityOf(backend);
      const before = this.#backends.get(identity);
      this.#backends.set(identity, backend);
      this.connections.update(backend);
      const state = this.roster.of(backend);
      state.silence.configure(backend.stallAfterMs);
      if (before === undefined || before.bearer === backend.bearer) continue;
      for (const member of state.members.values())
        if (member.holdOff?.why === 'misconfigured') member.holdOff = undefined;
    }
  }

  #update({ backend: identity, index: _index, ...news }: StateNews): boolean {
    const backend = this.#backends.get(identity);
    // It has left before this thread was there.
    if (backend === undefined) return false;
    const state: BackendState = this.roster.of(backend);
    const { engine, discovered, probedOnce, health } = state;
    Object.assign(state, news);
    if (news.health === 'up' && health !== 'up' && health !== 'unknown') forgetRefusals(state);
    return engine !== news.engine || discovered !== news.discovered || probedOnce !== news.probedOnce;
  }

  #build(): Snapshot {
    const { inFlight, clock, random } = this.#parts;
    return buildSnapshot(this.#fleet, {
      roster: this.roster,
      keyring: this.#keyring,
      makePolicy: policyOf(this.#fleet),
      policyParts: { inFlight, clock, random, costs: this.#costs },
      unheard: () => this.#unheard,
    });
  }

  #circuitOf(backend: Backend, model: string): Circuit {
    const { worker, outbox } = this.#parts;
    const id = this.#places.get(keyOf(identityOf(backend), model))?.id;
    const words = this.#wordsOf(backend, model);
    if (id === undefined || words === undefined) return untold;
    return new RemoteCircuit({ id, worker, words, tell: (news) => outbox.circuit(news) });
  }

  #wordsOf(backend: Backend, model: string): SharedCircuitWords | undefined {
    const place = this.#places.get(keyOf(identityOf(backend), model));
    return place && new SharedCircuitWords(this.#parts.table, place.place);
  }
}

function keyOf(identity: string, model: string): string {
  return `${identity}\n${model}`;
}

/** Of a member that has no place in shared memory, because there are too many: it is never out. */
const untold: Circuit = {
  ...plainCircuitWords(),
  admits: () => true,
  enter: () => ({ epoch: 0, trial: false }),
  confirm() {},
  record() {},
  blame() {},
  probed() {},
  close() {},
};
