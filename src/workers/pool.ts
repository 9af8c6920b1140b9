// The threads that serve: started together, and each started again when it has died, without a word to the others.
import { Worker } from 'node:worker_threads';
import type { Clock } from '../clock.ts';

export interface PoolParts<FromWorker> {
  /** The module that a thread runs. */
  readonly entry: URL;
  readonly clock: Clock;
  /** What a thread is started with; asked for anew each time. */
  readonly data: (worker: number) => unknown;
  heard(worker: number, message: FromWorker): void;
  /** It has ended without having been told to. `againMs`: when it is started again. */
  died(worker: number, death: Death): void;
}

export interface Death {
  readonly cause: unknown;
  readonly againMs: number;
}

/**
 * A thread that has used up its heap gets 16 MiB more to end in order, by itself. What is young at that moment and lives on
 * has to fit, or V8 ends the whole process; by default it would not.
 */
const resourceLimits = { maxYoungGenerationSizeMb: 48 };

/** So many deaths within a minute are bad luck; with more it is started more slowly each time. */
const deathsAtOnce = 5;
const rememberedMs = 60_000;
const firstPauseMs = 1_000;
const longestPauseMs = 10_000;

export class Pool<ToWorker, FromWorker> {
  readonly #parts: PoolParts<FromWorker>;
  readonly #threads = new Map<number, Worker>();
  readonly #ended = new Map<Worker, Promise<void>>();
  readonly #pauses = new Map<number, () => void>();
  #deaths: number[] = [];
  #isEnding = false;

  constructor(parts: PoolParts<FromWorker>) {
    this.#parts = parts;
  }

  /** Those that run. */
  get running(): readonly number[] {
    return [...this.#threads.keys()];
  }

  start(worker: number): void {
    this.#pauses.delete(worker);
    const thread = new Worker(this.#parts.entry, { workerData: this.#parts.data(worker), resourceLimits });
    this.#threads.set(worker, thread);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#ended.set(thread, promise);
    let cause: unknown;
    thread.on('message', (message: FromWorker) => this.#parts.heard(worker, message));
    thread.on('messageerror', (error) => {
      cause = error;
      void thread.terminate();
    });
    thread.on('error', (error) => {
      cause = error;
    });
    thread.on('exit', () => {
      this.#threads.delete(worker);
      this.#ended.delete(thread);
      resolve();
      if (!this.#isEnding) this.#startAgain(worker, cause);
    });
  }

  tell(worker: number, message: ToWorker): void {
    this.#threads.get(worker)?.postMessage(message, []);
  }

  tellAll(message: ToWorker, except?: number): void {
    for (const [worker, thread] of this.#threads) if (worker !== except) thread.postMessage(message, []);
  }

  /** Ends a thread as if it had died. */
  async kill(worker: number): Promise<void> {
    await this.#threads.get(worker)?.terminate();
  }

  /** They are told to end by themselves: none that ends is started again. */
  ending(): void {
    this.#isEnding = true;
    for (const cancel of this.#pauses.values()) cancel();
    this.#pauses.clear();
  }

  /** Resolves when all have ended; those that have not within `ms` are made to. Returns which those were. */
  async ended(ms: number): Promise<readonly number[]> {
    this.ending();
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const cancel = this.#parts.clock.after(ms, resolve);
    await Promise.race([Promise.all(this.#ended.values()), late]);
    cancel();
    const left = this.running;
    await Promise.all([...this.#threads.values()].map((thread) => thread.terminate()));
    return left;
  }

  #startAgain(worker: number, cause: unknown): void {
    const { clock } = this.#parts;
    const nowMs = clock.now();
    this.#deaths = [...this.#deaths.filter((atMs) => nowMs - atMs < rememberedMs), nowMs];
    const beyond = this.#deaths.length - deathsAtOnce;
    const againMs = beyond <= 0 ? 0 : Math.min(longestPauseMs, firstPauseMs * 2 ** (beyond - 1));
    this.#parts.died(worker, { cause, againMs });
    // That may have been the end of all.
    if (this.#isEnding) return;
    this.#pauses.set(
      worker,
      clock.after(againMs, () => this.start(worker)),
    );
  }
}
