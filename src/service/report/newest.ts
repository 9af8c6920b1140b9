// The last few of what has happened; older ones are forgotten.

export class Newest<Item> {
  readonly #most: number;
  readonly #items: Item[] = [];
  #next = 0;

  constructor(most: number) {
    this.#most = most;
  }

  add(item: Item): void {
    this.#items[this.#next] = item;
    this.#next = (this.#next + 1) % this.#most;
  }

  /** Newest first. */
  list(): readonly Item[] {
    const older = this.#items.slice(0, this.#next).toReversed();
    return [...older, ...this.#items.slice(this.#next).toReversed()];
  }
}
