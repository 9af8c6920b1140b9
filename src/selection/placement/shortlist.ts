// Which of those that could take a request are compared, and in which order they come out. Reused from one request to the next.

/** Drawn at random beside those that there is a reason for. */
const drawn = 8;

export class Shortlist {
  /** Positions in the list of those that could take it; best first once sorted. */
  positions = new Int32Array(16);
  costs = new Float64Array(16);
  count = 0;
  readonly #random: () => number;
  #ties = new Float64Array(16);
  #backends: Int32Array = new Int32Array(0);
  #listed = 0;
  /** By backend: its position, and in which turn it was listed and taken. */
  #places = new Int32Array(0);
  #listedIn = new Uint32Array(0);
  #takenIn = new Uint32Array(0);
  #turn = 0;

  constructor(random: () => number) {
    this.#random = random;
  }

  /** `backends`: `count` dense indexes. */
  begin(backends: Int32Array, count: number): void {
    this.#turn = (this.#turn + 1) >>> 0;
    this.#backends = backends;
    this.#listed = count;
    this.count = 0;
    for (let position = 0; position < count; position++) {
      const backend = backends[position] ?? 0;
      if (backend >= this.#places.length) this.#know(backend);
      this.#places[backend] = position;
      this.#listedIn[backend] = this.#turn;
    }
  }

  takeAll(): void {
    for (let position = 0; position < this.#listed; position++) this.takeAt(position);
  }

  /** Without effect for one that can't take it, or was taken already. */
  take(backend: number): void {
    if (this.#listedIn[backend] === this.#turn) this.takeAt(this.#places[backend] ?? -1);
  }

  takeAt(position: number): void {
    if (position < 0 || this.isTaken(position)) return;
    this.#takenIn[this.#backends[position] ?? 0] = this.#turn;
    if (this.count === this.positions.length) this.#grow();
    this.positions[this.count++] = position;
  }

  takeSome(): void {
    if (this.#listed - this.count <= drawn) return this.takeAll();
    for (let n = 0; n < drawn; n++) this.takeAt(Math.floor(this.#random() * this.#listed));
  }

  isTaken(position: number): boolean {
    return this.#takenIn[this.#backends[position] ?? 0] === this.#turn;
  }

  /** The dense index of the one that was taken as the nth. */
  backendAt(n: number): number {
    return this.#backends[this.positions[n] ?? 0] ?? 0;
  }

  /** Cheapest first, ties at random: most have few, so insertion is the fastest. */
  sort(): void {
    for (let n = 0; n < this.count; n++) {
      const position = this.positions[n] ?? 0;
      const cost = this.costs[n] ?? 0;
      const tie = this.#random();
      let at = n;
      for (; at > 0; at--) {
        const other = this.costs[at - 1] ?? 0;
        if (other < cost || (other === cost && (this.#ties[at - 1] ?? 0) <= tie)) break;
        this.positions[at] = this.positions[at - 1] ?? 0;
        this.costs[at] = other;
        this.#ties[at] = this.#ties[at - 1] ?? 0;
      }
      this.positions[at] = position;
      this.costs[at] = cost;
      this.#ties[at] = tie;
    }
  }

  #grow(): void {
    const size = this.positions.length * 2;
    const positions = new Int32Array(size);
    positions.set(this.positions);
    this.positions = positions;
    this.costs = new Float64Array(size);
    this.#ties = new Float64Array(size);
  }

  #know(backend: number): void {
    const size = Math.max(16, 2 ** Math.ceil(Math.log2(backend + 1)));
    const [places, listedIn, takenIn] = [new Int32Array(size), new Uint32Array(size), new Uint32Array(size)];
    places.set(this.#places);
    listedIn.set(this.#listedIn);
    takenIn.set(this.#takenIn);
    this.#places = places;
    this.#listedIn = listedIn;
    this.#takenIn = takenIn;
  }
}
