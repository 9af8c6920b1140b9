// Numbers for what has words in shared memory: given out in the main thread, and given again as late as possible.

export class Places {
  readonly #most: number;
  readonly #free: number[] = [];
  #next = 0;

  constructor(most: number) {
    this.#most = most;
  }

  /** Undefined: there is none left. */
  take(): number | undefined {
    return this.#next < this.#most ? this.#next++ : this.#free.shift();
  }

  giveBack(place: number): void {
    this.#free.push(place);
  }
}
