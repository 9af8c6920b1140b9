// What replicas share through Redis: asks with a deadline of its own, and beats once a second, which also finds out when a
// server is back.
import { randomUUID } from 'node:crypto';
import type { Clock } from '../clock.ts';
import type { SharedStateSettings } from '../fleet/shared-state.ts';
import { connect, type Connection } from './connection.ts';
import { concernsTheServer, type FailureReason, failureReason, NoAnswerInTime, Nonsense } from './failure-reason.ts';
import type { Call } from './limit-calls.ts';
import type { ScriptName } from './script-files.ts';
import { Shard } from './shard.ts';

/** Requests wait for Redis no longer. */
export const deadlineMs = 50;
const beatMs = 1_000;
/** A replica that was not heard for so long is gone. */
const aliveMs = 5_000;
const startWaitMs = 1_000;
const stopWaitMs = 500;

export interface StateChange {
  /** Whether every server answers now. */
  readonly up: boolean;
  /** Worth a line: where all servers are lost together, that is one change. */
  readonly isNews: boolean;
  /** Of a cluster: the tenant whose server it is. */
  readonly tenant: string | undefined;
  /** Absent when it is back. */
  readonly lost?: { readonly reason: string; readonly detail: string };
}

export interface SharedStateObserver {
  /** An answer came. */
  asked(command: ScriptName, durationMs: number): void;
  failed(command: ScriptName, reason: FailureReason): void;
  /** Once per change. */
  changed(change: StateChange): void;
}

export interface SharedStateParts {
  readonly clock: Clock;
  readonly observer: SharedStateObserver;
  /**
   * The name under which this replica is counted. Threads of one replica have a connection each and give the same; absent:
   * a name of its own. When Redis has forgotten everything one of them learns it by its beat and the others do not: those
   * leases are back when they are renewed.
   */
  readonly replica?: string;
  /** A server answers. `anew`: whatever it must know before anybody asks it is sent now. `tenant`: undefined for all. */
  readonly answers: (how: { readonly anew: boolean; readonly tenant: string | undefined }) => void;
}

/** A question to one tenant's server. */
export interface Question<Answer> {
  readonly command: ScriptName;
  /** `notAfterMs`: until when, on the clock of the server, it may act; 0 when that is not known. */
  readonly call: (notAfterMs: number) => Call;
  /** @throws Nonsense */
  readonly read: (answer: unknown) => Answer;
}

export class SharedState {
  readonly connection: Connection;
  readonly #parts: SharedStateParts;
  readonly #settings: SharedStateSettings;
  readonly #name = randomUUID().slice(0, 13);
  readonly #replica: string;
  readonly #main: Shard;
  /** By tenant; empty where one server has all. */
  readonly #shards = new Map<string, Shard>();
  readonly #firstBeat = Promise.withResolvers<void>();
  /** Tenants whose server was said to be lost. */
  readonly #told = new Set<string>();
  #lastError: Error | undefined = undefined;
  #ids = 0;
  #stopped = false;
  #cancelBeat = () => {};

  constructor(settings: SharedStateSettings, parts: SharedStateParts) {
    this.#settings = settings;
    this.#parts = parts;
    this.#replica = parts.replica ?? this.#name;
    this.#main = this.#createShard(undefined);
    this.connection = connect(settings, {
      ready: () => this.#beatNow(),
      failed: (error) => {
        this.#lastError = error;
      },
      lost: () => {
        if (!this.#stopped) for (const shard of this.#all()) shard.gate.lost();
      },
    });
  }

  isOpen(tenant: string): boolean {
    return this.shardOf(tenant).gate.isOpen;
  }

  /** Unique over all threads of all replicas. */
  nextId(): string {
    return `${this.#name}-${(this.#ids++).toString(36)}`;
  }

  shardOf(tenant: string): Shard {
    if (!this.connection.isCluster) return this.#main;
    const known = this.#shards.get(tenant);
    if (known !== undefined) return known;
    const shard = this.#createShard(tenant);
    this.#shards.set(tenant, shard);
    if (this.#main.gate.isOpen) shard.gate.open();
    return shard;
  }

  /** Resolves when Redis has answered, or has had its time to. */
  async start(): Promise<void> {
    this.#beatLater();
    const cancel = this.#parts.clock.after(startWaitMs, () => this.#firstBeat.resolve());
    await this.#firstBeat.promise;
    cancel();
    if (!this.#main.gate.isOpen) this.#changed(undefined, { open: false, reason: 'connection' });
  }

  /**
   * The answer of a script within the deadline.
   * @throws what `failureReason` knows
   */
  async ask<Answer>(shard: Shard, { command, call, read }: Question<Answer>): Promise<Answer> {
    const { clock, observer } = this.#parts;
    const sentMs = clock.now();
    try {
      const notAfterMs = shard.time.latestAt(sentMs + deadlineMs) ?? 0;
      const answer = read(await this.#within(this.connection.run(command, call(notAfterMs))));
      observer.asked(command, clock.now() - sentMs);
      shard.gate.hit();
      return answer;
    } catch (thrown) {
      const reason = failureReason(thrown);
      observer.failed(command, reason);
      if (concernsTheServer(reason)) shard.gate.miss(reason);
      throw thrown;
    }
  }

  failed(command: ScriptName, thrown: unknown): void {
    this.#parts.observer.failed(command, failureReason(thrown));
  }

  /** `finished`: what is still on its way, which gets a moment. */
  async stop(finished: Promise<void>): Promise<void> {
    this.#stopped = true;
    this.#cancelBeat();
    const waited = Promise.withResolvers<void>();
    const cancel = this.#parts.clock.after(stopWaitMs, waited.resolve);
    const left = this.#all().map(({ replicasKey }) => this.connection.remove(replicasKey, this.#replica));
    await Promise.race([Promise.allSettled([finished, ...left]), waited.promise]);
    cancel();
    this.connection.close();
  }

  #all(): readonly Shard[] {
    return [this.#main, ...this.#shards.values()];
  }

  #createShard(tenant: string | undefined): Shard {
    const { prefix, replicas } = this.#settings;
    return new Shard({
      clock: this.#parts.clock,
      tenant,
      replicas,
      replicasKey: tenant === undefined ? `${prefix}replicas` : `${prefix}{${tenant}}:replicas`,
      changed: (open, reason) => this.#changed(tenant, { open, reason }),
    });
  }

  #changed(tenant: string | undefined, { open, reason }: { readonly open: boolean; readonly reason: string }): void {
    const up = this.#all().every(({ gate }) => gate.isOpen);
    const isNews = tenant === undefined || (open ? this.#told.delete(tenant) : this.#main.gate.isOpen);
    if (tenant !== undefined && !open && isNews) this.#told.add(tenant);
    // Why there is no connection is told by no command, but by the attempts to have one.
    const cause = reason === 'connection' ? this.#lastError : undefined;
    const known = failureReason(cause);
    const lost = { reason: known === 'other' ? reason : known, detail: cause?.message ?? '' };
    this.#parts.observer.changed({ up, isNews, tenant, ...(open ? {} : { lost }) });
  }

  #beatNow(): void {
    if (this.#stopped) return;
    this.#beatLater();
    for (const shard of this.#all()) void this.#beat(shard);
  }

  #beatLater(): void {
    this.#cancelBeat();
    this.#cancelBeat = this.#parts.clock.after(beatMs, () => this.#beatNow());
  }

  async #beat(shard: Shard): Promise<void> {
    const sentMs = this.#parts.clock.now();
    const call = { keys: [shard.replicasKey], args: [this.#replica, aliveMs] };
    const answer = await this.ask(shard, { command: 'beat', call: () => call, read: readBeat }).catch(() => undefined);
    if (answer === undefined || this.#stopped) return;
    const [serverMs = 0, alive = 1, isNew = 0] = answer;
    shard.time.learn({ sentMs, receivedMs: this.#parts.clock.now(), serverMs });
    shard.heard(alive);
    const { tenant, gate } = shard;
    const hasCounters = !this.connection.isCluster || tenant !== undefined;
    // Nobody but this replica takes its name away, so if it was not there, nothing else is either.
    const anew = isNew === 1 || !gate.isOpen;
    if (hasCounters && (gate.isOpen || gate.mayOpen)) this.#parts.answers({ anew, tenant });
    if (gate.mayOpen) gate.open();
    if (shard === this.#main) this.#firstBeat.resolve();
  }

  /** Whether in time is decided after what lies in the socket was read: our own loop may have been what was slow. */
  #within(answer: Promise<unknown>): Promise<unknown> {
    const { clock } = this.#parts;
    return new Promise((resolve, reject) => {
      let cancel = clock.after(deadlineMs, () => {
        cancel = clock.after(0, () => reject(new NoAnswerInTime(`no answer within ${deadlineMs} ms`)));
      });
      answer.finally(() => cancel()).then(resolve, reject);
    });
  }
}

function readBeat(answer: unknown): readonly number[] {
  if (!Array.isArray(answer)) throw new Nonsense('not an answer of beat.lua');
  return answer.map(Number);
}
