// What replicas share through one Redis: whether it answers, what its clock shows, and how many replicas there are. Asks
// with a deadline of its own, and beats once a second, which also finds out when Redis is back.
import { randomUUID } from 'node:crypto';
import type { Clock } from '../clock.ts';
import type { SharedStateSettings } from '../fleet/fleet.ts';
import { connect, type Connection } from './connection.ts';
import type { Call } from './counters.ts';
import { type FailureReason, failureReason, NoAnswerInTime } from './failure-reason.ts';
import { Gate } from './gate.ts';
import type { ScriptName } from './script-files.ts';
import { ServerTime } from './server-time.ts';

/** Requests wait for Redis no longer. */
export const deadlineMs = 50;
const beatMs = 1_000;
/** A replica that was not heard for so long is gone. */
const aliveMs = 5_000;
const startWaitMs = 1_000;
const stopWaitMs = 500;

export interface SharedStateObserver {
  /** An answer came. */
  asked(command: ScriptName, durationMs: number): void;
  failed(command: ScriptName, reason: FailureReason): void;
  /** Once per change; `reason` when it is lost. */
  changed(up: boolean, reason: string): void;
}

export interface SharedStateParts {
  readonly clock: Clock;
  readonly observer: SharedStateObserver;
  /** Redis answers again, or has lost what it knew: whatever must be there before anybody asks is sent now. */
  readonly restore: () => void;
}

export class SharedState {
  readonly connection: Connection;
  readonly #clock: Clock;
  readonly #observer: SharedStateObserver;
  readonly #restore: () => void;
  readonly #gate: Gate;
  readonly #replica = randomUUID().slice(0, 13);
  readonly #replicasKey: string;
  /** By tenant in a cluster, where each has a server of its own; otherwise one. */
  readonly #times = new Map<string, ServerTime>();
  readonly #firstBeat = Promise.withResolvers<void>();
  #replicas = 1;
  #ids = 0;
  #stopped = false;
  #cancelBeat = () => {};

  constructor(settings: SharedStateSettings, { clock, observer, restore }: SharedStateParts) {
    this.#clock = clock;
    this.#observer = observer;
    this.#restore = restore;
    this.#replicasKey = `${settings.prefix}replicas`;
    this.#gate = new Gate({ clock, changed: (open, reason) => observer.changed(open, reason) });
    this.connection = connect(settings, {
      ready: () => this.#beatNow(),
      lost: () => {
        if (!this.#stopped) this.#gate.lost();
      },
    });
  }

  get isOpen(): boolean {
    return this.#gate.isOpen;
  }

  /** As of the last beat that was heard. */
  get replicas(): number {
    return this.#replicas;
  }

  /** Unique over all replicas. */
  nextId(): string {
    return `${this.#replica}-${(this.#ids++).toString(36)}`;
  }

  /** Resolves when Redis has answered, or has had its time to. */
  async start(): Promise<void> {
    this.#beatLater();
    const cancel = this.#clock.after(startWaitMs, () => this.#firstBeat.resolve());
    await this.#firstBeat.promise;
    cancel();
    if (!this.isOpen) this.#observer.changed(false, 'connection');
  }

  /**
   * The answer of a script within the deadline. `call` is told until when, on the clock of the server, it may act.
   * @throws what `failureReason` knows
   */
  async ask(command: ScriptName, tenant: string, call: (notAfterMs: number) => Call): Promise<unknown> {
    const sentMs = this.#clock.now();
    const { keys, args } = call(this.#timeOf(tenant).latestAt(sentMs + deadlineMs) ?? 0);
    try {
      const answer = await this.#within(this.connection.run(command, keys, args));
      this.#observer.asked(command, this.#clock.now() - sentMs);
      this.#gate.hit();
      return answer;
    } catch (thrown) {
      this.failed(command, thrown);
      this.#gate.miss(failureReason(thrown));
      throw thrown;
    }
  }

  failed(command: ScriptName, thrown: unknown): void {
    this.#observer.failed(command, failureReason(thrown));
  }

  /** What the clock of the server showed in an answer to something sent at `sentMs`. */
  learnTime(tenant: string, sentMs: number, serverMs: number): void {
    this.#timeOf(tenant).learn({ sentMs, receivedMs: this.#clock.now(), serverMs });
  }

  /** `finished`: what is still on its way, which gets a moment. */
  async stop(finished: Promise<void>): Promise<void> {
    this.#stopped = true;
    this.#cancelBeat();
    const waited = Promise.withResolvers<void>();
    const cancel = this.#clock.after(stopWaitMs, waited.resolve);
    const leave = this.connection.remove(this.#replicasKey, this.#replica).catch(() => {});
    await Promise.race([Promise.all([finished, leave]), waited.promise]);
    cancel();
    this.connection.close();
  }

  #timeOf(tenant: string): ServerTime {
    const name = this.connection.isCluster ? tenant : '';
    let time = this.#times.get(name);
    if (time === undefined) this.#times.set(name, (time = new ServerTime()));
    return time;
  }

  #beatNow(): void {
    if (this.#stopped) return;
    this.#beatLater();
    void this.#beat();
  }

  #beatLater(): void {
    this.#cancelBeat();
    this.#cancelBeat = this.#clock.after(beatMs, () => this.#beatNow());
  }

  async #beat(): Promise<void> {
    const sentMs = this.#clock.now();
    const call = { keys: [this.#replicasKey], args: [this.#replica, aliveMs] };
    const answer = await this.ask('beat', '', () => call).catch(() => undefined);
    if (!Array.isArray(answer) || this.#stopped) return;
    const [time, alive, isNew] = answer.map(Number);
    this.learnTime('', sentMs, time ?? 0);
    this.#replicas = Math.max(1, alive ?? 1);
    // Nobody but this replica takes its name away, so if it was not there, nothing else is either.
    if (isNew === 1 || this.#gate.mayOpen) this.#restore();
    if (this.#gate.mayOpen) this.#gate.open();
    this.#firstBeat.resolve();
  }

  /** Whether in time is decided after what lies in the socket was read: our own loop may have been what was slow. */
  #within(answer: Promise<unknown>): Promise<unknown> {
    return new Promise((resolve, reject) => {
      let cancel = this.#clock.after(deadlineMs, () => {
        cancel = this.#clock.after(0, () => reject(new NoAnswerInTime(`no answer within ${deadlineMs} ms`)));
      });
      answer.finally(() => cancel()).then(resolve, reject);
    });
  }
}
