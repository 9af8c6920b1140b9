// What is to happen at a time, done when somebody next looks: a heap in place of timers.

export interface Due {
  /** It is time, or later. */
  run(): void;
}

export class DueList {
  readonly #times: number[] = [];
  readonly #items: Due[] = [];

  get length(): number {
    return this.#items.length;
  }

  add(atMs: number, item: Due): void {
    let at = this.#items.length;
    this.#times.push(atMs);
    this.#items.push(item);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if ((this.#times[parent] ?? 0) <= atMs) break;
      this.#swap(at, parent);
      at = parent;
    }
  }

  runUntil(nowMs: number): void {
    while ((this.#times[0] ?? Infinity) <= nowMs) this.#takeFirst()?.run();
  }

  #takeFirst(): Due | undefined {
    const first = this.#items[0];
    this.#swap(0, this.#items.length - 1);
    this.#times.pop();
    this.#items.pop();
    for (let at = 0; ; ) {
      let least = at;
      for (let child = 2 * at + 1; child <= 2 * at + 2; child++)
        if ((this.#times[child] ?? Infinity) < (this.#times[least] ?? Infinity)) least = child;
      if (least === at) return first;
      this.#swap(at, least);
      at = least;
    }
  }

  #swap(a: number, b: number): void {
    const [time, item] = [this.#times[a], this.#items[a]];
    const [otherTime, otherItem] = [this.#times[b], this.#items[b]];
    if (time === undefined || item === undefined || otherTime === undefined || otherItem === undefined) return;
    this.#times[a] = otherTime;
    this.#items[a] = otherItem;
    this.#times[b] = time;
    this.#items[b] = item;
  }
}
