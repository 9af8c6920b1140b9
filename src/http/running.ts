// What is under way now, in no order, for whoever has to end it. No Set: the tables that a Set outgrows keep alive what
// stood in them until the next full collection, and with a request that is all there was of it.

/** Where it stands; only for `Running`. */
export interface Placed {
  place: number;
}

export class Running<Item extends Placed> {
  readonly #items: Item[] = [];

  get size(): number {
    return this.#items.length;
  }

  add(item: Item): void {
    item.place = this.#items.length;
    this.#items.push(item);
  }

  /** Once for each that was added. */
  remove(item: Item): void {
    const last = this.#items.pop();
    if (last === undefined || last === item) return;
    this.#items[item.place] = last;
    last.place = item.place;
  }

  /** Of now: who leaves meanwhile is in it all the same. */
  list(): readonly Item[] {
    return [...this.#items];
  }
}
