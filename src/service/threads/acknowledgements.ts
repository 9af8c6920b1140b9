// Which news of the fleet each worker has applied.
import type { Clock } from '../../clock.ts';

/** A worker that hangs holds nobody up for longer. */
const longestMs = 5_000;

export class Acknowledgements {
  readonly #clock: Clock;
  readonly #applied = new Map<number, number>();
  readonly #waiting = new Set<() => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A worker is there that knows everything up to this version from its start. */
  started(worker: number, version: number): void {
    this.#applied.set(worker, version);
  }

  heard(worker: number, version: number): void {
    if (this.#applied.has(worker)) this.#applied.set(worker, version);
    this.#look();
  }

  forget(worker: number): void {
    this.#applied.delete(worker);
    this.#look();
  }

  /** How many have not applied it yet. */
  behind(version: number): number {
    return [...this.#applied.values()].filter((applied) => applied < version).length;
  }

  /** Resolves when everybody has. */
  async caughtUp(version: number): Promise<void> {
    if (this.behind(version) === 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const look = () => {
      if (this.behind(version) === 0) resolve();
    };
    const cancel = this.#clock.after(longestMs, resolve);
    this.#waiting.add(look);
    await promise;
    this.#waiting.delete(look);
    cancel();
  }

  #look(): void {
    for (const look of this.#waiting) look();
  }
}
