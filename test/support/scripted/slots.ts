// Parallel generations of a scripted engine: so many run, the rest wait in order, without bound.

export class Slots {
  readonly #limit: number;
  readonly #changed: () => void;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(limit: number, changed: () => void) {
    this.#limit = limit;
    this.#changed = changed;
  }

  get running(): number {
    return this.#running;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  get full(): boolean {
    return this.#running >= this.#limit;
  }

  /** Resolves with the function that frees the slot; rejects when `signal` aborts first. */
  async take(signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted();
    if (this.full) await this.#turn(signal);
    else this.#running += 1;
    this.#changed();
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      // The place passes to the next in line without ever being free.
      const next = this.#waiting.shift();
      if (next === undefined) this.#running -= 1;
      else next();
      this.#changed();
    };
  }

  #turn(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const start = (): void => {
        signal.removeEventListener('abort', leave);
        resolve();
      };
      const leave = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(start), 1);
        reject(new Error('hung up while waiting for a slot'));
      };
      this.#waiting.push(start);
      this.#changed();
      signal.addEventListener('abort', leave, { once: true });
    });
  }
}
