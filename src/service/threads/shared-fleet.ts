// The fleet as its owner shares it with the threads that serve: what has changed is gathered and told once, behind what was going
// on, so that hundreds of probes that end together are one message. Also gives out the numbers that stand for backends, models
// and circuits in shared memory.
import { identityOf } from '../../fleet/changes.ts';
import type { BackendState, MemberState } from '../../fleet/backend-state.ts';
import type { Circuit, CircuitWords } from '../../fleet/circuit.ts';
import type { Backend, Fleet } from '../../fleet/fleet.ts';
import type { InFlightLimit } from '../../fleet/in-flight-limit.ts';
import type { OtherEars } from '../../fleet/silence.ts';
import { most, type Table } from '../../workers/memory.ts';
import { Places } from '../../workers/places.ts';
import { isStalledAnywhere, publishedLimit } from '../../workers/shared-backends.ts';
import { SharedCircuitWords } from '../../workers/shared-circuits.ts';
import type { FleetSharing } from '../fleet-sharing.ts';
import type { OpenFleet } from '../open-fleet.ts';
import type { CircuitPlace, FleetNews, MemberNews, StateNews, ToWorker } from './messages.ts';

export interface SharedFleetParts {
  readonly table: Table;
  readonly open: () => OpenFleet;
  readonly unheard: () => number;
  readonly tellAll: (message: ToWorker) => void;
  readonly unaware: () => number;
}

interface Placed extends CircuitPlace {
  readonly words: SharedCircuitWords;
}

export class SharedFleet implements FleetSharing {
  readonly #parts: SharedFleetParts;
  readonly #places = new Places(most.circuits);
  readonly #circuits = new Map<number, Placed>();
  readonly #members = new Map<string, Placed>();
  readonly #models = new Map<string, number>();
  #nextCircuit = 1;
  #version = 0;
  #isDue = false;
  #isAnother = false;
  #wakes = false;
  readonly #changed = new Set<BackendState>();
  #newCircuits: CircuitPlace[] = [];

  constructor(parts: SharedFleetParts) {
    this.#parts = parts;
  }

  /** Of the newest news. */
  get version(): number {
    return this.#version;
  }

  /** Tells what has been gathered, without waiting for more. */
  flush(): void {
    if (this.#isDue) this.#tell();
  }

  get models(): ReadonlyMap<string, number> {
    return this.#models;
  }

  circuitWords(backend: Backend, model: string): CircuitWords | undefined {
    const place = this.#places.take();
    // More than anybody will have; what is beyond is out for nobody.
    if (place === undefined) return undefined;
    const words = new SharedCircuitWords(this.#parts.table, place);
    words.clear();
    const id = this.#nextCircuit++;
    const placed = { id, place, backend: identityOf(backend), model, words };
    this.#circuits.set(id, placed);
    this.#members.set(keyOf(placed.backend, model), placed);
    this.#newCircuits.push(told(placed));
    return words;
  }

  holdOff(backend: Backend, model: string): Pick<MemberState, 'holdOff'> | undefined {
    return this.#placed(backend, model)?.words;
  }

  ears(index: number): OtherEars {
    const isStalled = () => isStalledAnywhere(this.#parts.table, index);
    return { isStalled, isBusy: () => true, heardAtMs: () => 0, heard() {} };
  }

  limit(index: number, learnt: InFlightLimit): InFlightLimit {
    return publishedLimit(this.#parts.table, index, learnt);
  }

  stateChanged(state: BackendState): void {
    this.#changed.add(state);
    this.#soon();
  }

  cameBack(backend: Backend, model: string): void {
    const id = this.#placed(backend, model)?.id;
    const news = id === undefined ? undefined : this.memberNews(id);
    if (news !== undefined) this.#parts.tellAll({ kind: 'member', news });
  }

  fleetChanged(): void {
    this.#isAnother = true;
    // Now, so that who leaves is known to leave before anybody asks whether something still runs there.
    this.#tell();
  }

  unaware(): number {
    return this.#parts.unaware();
  }

  cut(backend: Backend): void {
    this.#parts.tellAll({ kind: 'cut', backend: identityOf(backend) });
  }

  left(backend: Backend, isGone: boolean): void {
    const identity = identityOf(backend);
    for (const [id, circuit] of this.#circuits) {
      if (circuit.backend !== identity) continue;
      this.#circuits.delete(id);
      this.#members.delete(keyOf(identity, circuit.model));
      this.#places.giveBack(circuit.place);
    }
    this.#parts.tellAll({ kind: 'left', backend: identity, name: isGone ? backend.name : undefined });
  }

  /** Something may be usable that was not. */
  wake(): void {
    this.#wakes = true;
    this.#soon();
  }

  /** Everything, for a thread that starts. */
  whole(): { readonly now: FleetNews & { readonly fleet: Fleet }; readonly members: readonly MemberNews[] } {
    // First of all what the others do not know yet: it is told once.
    this.#tell();
    const { roster } = this.#parts.open();
    const now = { ...this.#news(this.#stateNews(roster.all())), ...this.#whole(), models: this.#models, wake: true };
    const members = [...this.#circuits.keys()].flatMap((id) => this.memberNews(id) ?? []);
    return { now: { ...now, circuits: [...this.#circuits.values()].map(told) }, members };
  }

  /** Undefined: it has left. */
  circuit(id: number): Circuit | undefined {
    return this.#member(id)?.circuit;
  }

  memberNews(id: number): MemberNews | undefined {
    const member = this.#member(id);
    if (member === undefined) return undefined;
    const { unable, proven, backSinceMs } = member;
    return { circuit: id, unable: [...unable], proven: [...proven], backSinceMs };
  }

  /** What a worker has learnt of a member. */
  learn({ circuit, failure, unable, proven }: MemberNews): void {
    const member = this.#member(circuit);
    if (member === undefined) return;
    if (failure === 'none') member.failures.clear();
    else if (failure !== undefined) member.failures.add(failure.atMs);
    for (const [capability, untilMs] of unable) member.unable.set(capability, untilMs);
    for (const capability of proven) member.proven.add(capability);
  }

  /** The trials of a worker that has died lead nowhere any more. */
  freeTrials(worker: number): void {
    for (const { words } of this.#circuits.values()) words.freeTrial(worker);
  }

  #placed(backend: Backend, model: string): Placed | undefined {
    return this.#members.get(keyOf(identityOf(backend), model));
  }

  #member(id: number) {
    const placed = this.#circuits.get(id);
    return placed && this.#parts.open().roster.known(placed.backend)?.members.get(placed.model);
  }

  #soon(): void {
    if (!this.#isDue) setImmediate(() => this.#isDue && this.#tell());
    this.#isDue = true;
  }

  #tell(): void {
    // What is not made yet may have members that nobody has been told of.
    this.#parts.open().snapshots.current();
    const whole = this.#isAnother ? this.#whole() : {};
    const states = this.#isAnother ? this.#parts.open().roster.all() : this.#changed;
    this.#version++;
    const news: FleetNews = { ...this.#news(this.#stateNews(states)), ...whole };
    this.#isDue = this.#isAnother = this.#wakes = false;
    this.#changed.clear();
    this.#newCircuits = [];
    this.#parts.tellAll({ kind: 'fleet', news });
  }

  #news(states: readonly StateNews[]): FleetNews {
    const { open, unheard } = this.#parts;
    return {
      version: this.#version,
      states,
      circuits: this.#newCircuits,
      models: this.#newModels(),
      unheard: unheard(),
      discovered: open().isDiscovered(),
      wake: this.#wakes,
    };
  }

  #whole(): { readonly fleet: Fleet; readonly urls: ReadonlyMap<string, string> } {
    const { live, urls } = this.#parts.open();
    return { fleet: live.current, urls: urls() };
  }

  #newModels(): ReadonlyMap<string, number> {
    const found = new Map<string, number>();
    for (const model of this.#parts.open().snapshots.current().targets.keys()) {
      if (this.#models.has(model) || this.#models.size >= most.models) continue;
      found.set(model, this.#models.size);
      this.#models.set(model, this.#models.size);
    }
    return found;
  }

  #stateNews(states: Iterable<BackendState>): readonly StateNews[] {
    return [...states].flatMap((state) => {
      const { index, health, engine, discovered, probedOnce, draining, retired, probeAtMs, backSinceMs } = state;
      const backend = this.#parts.open().roster.identityOf(state);
      const known = { index, health, engine, discovered, probedOnce, draining, retired, probeAtMs, backSinceMs };
      return backend === undefined ? [] : [{ backend, ...known }];
    });
  }
}

function keyOf(identity: string, model: string): string {
  return `${identity}\n${model}`;
}

function told({ id, place, backend, model }: CircuitPlace): CircuitPlace {
  return { id, place, backend, model };
}
