// A fleet that can be exchanged while it runs: what joins is opened beside it, one reference is swapped, what leaves is
// let go. Whatever fails before the swap leaves everything as it was.
import { createKeyring, type Keyring } from '../access/keyring.ts';
import { changesBetween, type FleetChanges } from '../fleet/changes.ts';
import type { Backend, Fleet } from '../fleet/fleet.ts';
import type { Snapshot, Snapshots } from '../routing/snapshot.ts';
import { isUsable } from '../selection/eligible.ts';
import { type BackendParts, Departures } from './departures.ts';

export interface LiveFleetParts extends BackendParts {
  readonly snapshots: () => Snapshots;
  readonly build: (fleet: Fleet, keyring: Keyring) => Snapshot;
  /** A backend may be able to take what it could not take before. */
  readonly usable: () => void;
}

export interface ApplyOptions {
  /** Also when nothing could be routed afterwards. */
  readonly allowEmpty: boolean;
}

export type Applied =
  | { readonly result: 'applied'; readonly changes: FleetChanges }
  /** `passing`: what is in the way may be another one in a moment. */
  | { readonly result: 'refused'; readonly problem: string; readonly passing: boolean };

/** How long a reload waits for the first probes of what joins, so that a model which moves is never without a backend. */
const joinWaitMs = 3_000;

export class LiveFleet {
  readonly departures: Departures;
  readonly #parts: LiveFleetParts;
  #fleet: Fleet;
  #keyring: Keyring;
  #running: Promise<unknown> = Promise.resolve();
  #closed = false;
  #probed = () => {};

  constructor(first: Fleet, parts: LiveFleetParts) {
    this.#fleet = first;
    this.#keyring = createKeyring(first);
    this.#parts = parts;
    this.departures = new Departures(parts);
  }

  get current(): Fleet {
    return this.#fleet;
  }

  /** The backends that are connected to. */
  get active(): readonly Backend[] {
    return this.#fleet.backends.filter(({ state }) => state !== 'disabled');
  }

  build(): Snapshot {
    return this.#parts.build(this.#fleet, this.#keyring);
  }

  /** To be told when the first round of probes of a backend has ended. */
  probed(): void {
    this.#probed();
  }

  /** One after the other. @throws what kept a joining backend from being opened; then nothing has changed. */
  apply(next: Fleet, options: ApplyOptions): Promise<Applied> {
    const ahead = this.#running;
    const applied = (async () => {
      await ahead;
      return this.#applyNow(next, options);
    })();
    this.#running = applied.catch(() => {});
    return applied;
  }

  /** Waits for what is under way; then nothing changes any more. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#probed();
    await this.#running;
    await this.departures.close();
  }

  /** Everything before the swap can be taken back. */
  async #applyNow(next: Fleet, { allowEmpty }: ApplyOptions): Promise<Applied> {
    if (this.#closed) return stopping;
    const changes = changesBetween(this.#fleet, next);
    const mayCome = next.groups.length > 0;
    if (!allowEmpty && !mayCome && next.backends.every(({ state }) => state !== 'enabled'))
      return { result: 'refused', problem: 'no backend would be left that takes requests', passing: false };
    const joining = [...changes.added, ...changes.replaced.map(({ after }) => after)];
    await this.departures.settled();
    const left = joining.map((backend) => [backend, this.departures.revoke(backend)] as const);
    try {
      for (const { before, after } of changes.replaced) this.#inherit(before, after);
      await this.#open(joining);
      const keyring = createKeyring(next);
      const snapshot = this.#parts.build(next, keyring);
      const refusal = this.#closed ? stopping : allowEmpty || this.#isRoutable(snapshot) ? undefined : nobody;
      if (refusal !== undefined) {
        await this.#giveUp(left);
        return refusal;
      }
      this.#swap(next, { keyring, snapshot, changes });
    } catch (cause) {
      await this.#giveUp(left);
      throw cause;
    }
    return { result: 'applied', changes };
  }

  /** A drain at run time is of a name: the box that takes it over is not to be used either. */
  #inherit(before: Backend, after: Backend): void {
    const { roster } = this.#parts;
    roster.of(after).draining = roster.of(before).draining;
  }

  async #open(joining: readonly Backend[]): Promise<void> {
    const { simulated, prober, roster, clock } = this.#parts;
    await Promise.all(joining.map((backend) => simulated.start(backend)));
    const active = joining.filter(({ state }) => state !== 'disabled');
    for (const backend of active) prober.add(backend, roster.of(backend));
    await new Promise<void>((resolve) => {
      const done = () => {
        cancel();
        this.#probed = () => {};
        resolve();
      };
      const cancel = clock.after(joinWaitMs, done);
      this.#probed = () => {
        if (this.#closed || active.every((backend) => roster.of(backend).probedOnce)) done();
      };
      this.#probed();
    });
  }

  /** Nothing that could be routed before must be a worse fleet than nothing after; where nothing could be, anything may help. */
  #isRoutable(snapshot: Snapshot): boolean {
    const { snapshots, clock } = this.#parts;
    const isAnyUsable = ({ targets }: Snapshot) =>
      [...targets.values()].some(({ candidates }) => candidates.some((one) => isUsable(one, clock.now())));
    return isAnyUsable(snapshot) || !isAnyUsable(snapshots().current());
  }

  /** In one go: no request sees a part of each. */
  #swap(next: Fleet, to: { keyring: Keyring; snapshot: Snapshot; changes: FleetChanges }): void {
    const { snapshots, usable } = this.#parts;
    const { changes } = to;
    // How long they may take was said by the file that they were in.
    const timeoutMs = this.#fleet.server.drainTimeoutMs;
    this.#fleet = next;
    this.#keyring = to.keyring;
    for (const { before, after } of [...changes.changed, ...changes.same]) this.#update(after, before);
    // What was leaving and has come back was kept, with the settings it had.
    for (const after of [...changes.added, ...changes.replaced.map((change) => change.after)]) this.#update(after);
    snapshots().publish(to.snapshot);
    for (const backend of [...changes.removed, ...changes.replaced.map(({ before }) => before)])
      this.departures.begin(backend, timeoutMs);
    // Last: those who wait for a model that has gone are told so, and not sent to who leaves.
    usable();
  }

  #update(after: Backend, before?: Backend): void {
    const { prober, circuits, connections, roster } = this.#parts;
    connections.update(after);
    circuits.configure(after);
    prober.update(after);
    roster.of(after).silence.configure(after.stallAfterMs);
    if (before !== undefined && before.bearer === after.bearer) return;
    for (const member of roster.of(after).members.values())
      if (member.holdOff?.why === 'misconfigured') member.holdOff = undefined;
  }

  /** Who was leaving before the reload that has failed goes on to do so, in the time it had. */
  async #giveUp(joining: readonly (readonly [Backend, leftMs: number | undefined])[]): Promise<void> {
    for (const [backend, leftMs] of joining)
      this.departures.begin(backend, leftMs ?? this.#fleet.server.drainTimeoutMs);
    await this.departures.settled();
  }
}

export const stopping: Applied = { result: 'refused', problem: 'the router is stopping', passing: false };
const nobody: Applied = { result: 'refused', problem: 'no model would be left that a backend serves', passing: true };
