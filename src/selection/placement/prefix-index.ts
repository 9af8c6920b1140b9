// Which backends have seen which prefix: a table of bounded size that forgets what is old. Typed arrays, so that a million
// entries are no work for the garbage collector; grown in steps, so that whoever does not use it pays nothing.
import { chunkBytes, depthOf, type Fingerprint } from './fingerprint.ts';
import type { PlacedPrefix } from './outbox.ts';

/** Places that one hash may stand in; what the processor fetches at a time. */
const ways = 8;
/** Backends remembered for one prefix. */
const holdersOfOne = 4;
/** 32 bytes each. */
const firstSize = 4_096;
/** Holders are numbered from 1, so that 0 is nobody. */
const maxBackends = 65_535;
/** Twice 400,000 tokens. */
const defaultWindow = 3_125;
/** A thousand million tokens. */
const maxWindow = 1 << 22;

/** Who has how much of a prompt: the deepest match of each holder, deepest first. Reused from one prompt to the next. */
export class Matches {
  readonly backends = new Uint16Array(2 * holdersOfOne);
  readonly bytes = new Float64Array(2 * holdersOfOne);
  count = 0;

  /** The most that anybody has. */
  get longest(): number {
    return this.count === 0 ? 0 : (this.bytes[0] ?? 0);
  }

  bytesOf(backend: number): number {
    for (let n = 0; n < this.count; n++) if (this.backends[n] === backend) return this.bytes[n] ?? 0;
    return 0;
  }
}

export class PrefixIndex {
  #maxSize = 0;
  #size = 0;
  #entries = 0;
  /** Of each place its hash, low and high; 0: empty. */
  #keys = new Uint32Array(0);
  #holders = new Uint16Array(0);
  /** What `#inserted` was when the holder was last sent this prefix. */
  #stamps = new Uint32Array(0);
  /** Chunks that were new to a backend so far, modulo 2^32: its age is measured in these, as its own cache measures it. */
  #inserted = new Uint32Array(0);
  #windows = new Uint32Array(0);
  /** The longest that each window has ever been. */
  #widest = new Uint32Array(0);

  constructor(maxEntries: number) {
    this.limit(maxEntries);
  }

  /** Rounded down to a power of two. Where there is more already, everything is forgotten. */
  limit(maxEntries: number): void {
    this.#maxSize = maxEntries < ways ? 0 : 2 ** Math.floor(Math.log2(maxEntries));
    if (this.#size <= this.#maxSize) return;
    this.#size = this.#entries = 0;
    this.#keys = new Uint32Array(0);
    this.#holders = new Uint16Array(0);
    this.#stamps = new Uint32Array(0);
  }

  get entries(): number {
    return this.#entries;
  }

  get maxEntries(): number {
    return this.#maxSize;
  }

  get bytes(): number {
    return this.#keys.byteLength + this.#holders.byteLength + this.#stamps.byteLength;
  }

  /** How many new chunks later it has forgotten what it was sent. */
  setWindow(backend: number, chunks: number): void {
    this.#know(backend);
    const window = Math.min(maxWindow, Math.max(1, Math.round(chunks)));
    this.#windows[backend] = window;
    if (window <= (this.#widest[backend] ?? 0)) return;
    this.#widest[backend] = window;
    // What lies behind an earlier restart would be within it again.
    this.restart(backend);
  }

  /** It has forgotten everything: it was restarted, or its number belongs to another one. */
  restart(backend: number): void {
    this.#know(backend);
    this.#inserted[backend] = (this.#inserted[backend] ?? 0) + (this.#widest[backend] ?? 0) + 1;
  }

  match(print: Fingerprint, found: Matches): void {
    found.count = 0;
    if (this.#size === 0) return;
    const { low, high } = print;
    for (let point = low.length - 1; point >= 0 && found.count < found.backends.length; point--) {
      const depth = depthOf(point);
      const place = this.#find(low[point] ?? 0, high[point] ?? 0);
      if (place === -1) continue;
      for (let at = place * holdersOfOne, end = at + holdersOfOne; at < end; at++) {
        const backend = (this.#holders[at] ?? 0) - 1;
        if (this.#ageOf(at) > 1 || found.bytesOf(backend) > 0) continue;
        if (found.count === found.backends.length) return;
        found.backends[found.count] = backend;
        found.bytes[found.count++] = depth;
      }
    }
  }

  /** A backend is sent this prompt. Deepest first, as engines forget the end of a prefix before its beginning. */
  insert(print: Fingerprint, backend: number): void {
    for (let point = print.length - 1; point >= 0; point--)
      this.add(print.low[point] ?? 0, print.high[point] ?? 0, backend, depthOf(point) - depthOf(point - 1));
  }

  /** The same, of which only some points are known. Returns how many chunks of it are new to that backend. */
  insertSome({ backend, points, keys }: PlacedPrefix): number {
    if (backend < maxBackends) this.#know(backend);
    const before = this.#inserted[backend] ?? 0;
    for (let n = keys.length - 1; n >= 0; n--) {
      const key = keys[n] ?? 0;
      const newBytes = depthOf(points[n] ?? 0) - depthOf(points[n - 1] ?? -1);
      this.add(key >>> 0, Math.floor(key / 4_294_967_296), backend, newBytes);
    }
    return ((this.#inserted[backend] ?? before) - before) >>> 0;
  }

  /** `newBytes`: between this point and the one before it. */
  add(low: number, high: number, backend: number, newBytes: number): void {
    if (this.#maxSize === 0 || backend >= maxBackends) return;
    this.#know(backend);
    let place = this.#find(low, high);
    if (place === -1) place = this.#take(low, high);
    const now = this.#inserted[backend] ?? 0;
    let [oldest, oldestAge] = [0, -1];
    for (let at = place * holdersOfOne, end = at + holdersOfOne; at < end; at++) {
      const age = this.#ageOf(at);
      if (this.#holders[at] === backend + 1 && age <= 1) {
        this.#stamps[at] = now;
        return;
      }
      if (age > oldestAge) [oldest, oldestAge] = [at, age];
    }
    this.#holders[oldest] = backend + 1;
    this.#stamps[oldest] = this.#inserted[backend] = now + newBytes / chunkBytes;
  }

  /** In windows of the holder: what is older than 1 is forgotten. */
  #ageOf(at: number): number {
    const holder = this.#holders[at] ?? 0;
    if (holder === 0) return Infinity;
    const chunks = ((this.#inserted[holder - 1] ?? 0) - (this.#stamps[at] ?? 0)) >>> 0;
    return chunks / (this.#windows[holder - 1] ?? 1);
  }

  #find(low: number, high: number): number {
    const first = (low & (this.#size / ways - 1)) * ways;
    for (let place = first, end = first + ways; place < end; place++)
      if (this.#keys[2 * place] === low && this.#keys[2 * place + 1] === high) return place;
    return -1;
  }

  /** An empty place, or that of the entry whose freshest holder is nearest to having forgotten it. */
  #take(low: number, high: number): number {
    if (this.#entries >= this.#size * 0.75 && this.#size < this.#maxSize) this.#grow();
    const first = (low & (this.#size / ways - 1)) * ways;
    let [taken, takenAge] = [first, -1];
    for (let place = first, end = first + ways; place < end; place++) {
      if (this.#keys[2 * place] === 0) {
        [taken, takenAge] = [place, Infinity];
        this.#entries++;
        break;
      }
      let age = Infinity;
      for (let at = place * holdersOfOne, stop = at + holdersOfOne; at < stop; at++)
        age = Math.min(age, this.#ageOf(at));
      if (age > takenAge) [taken, takenAge] = [place, age];
    }
    this.#keys[2 * taken] = low;
    this.#keys[2 * taken + 1] = high;
    this.#holders.fill(0, taken * holdersOfOne, (taken + 1) * holdersOfOne);
    return taken;
  }

  /** The entries of one set go to two: none of them is in anybody's way. */
  #grow(): void {
    const before = { size: this.#size, keys: this.#keys, holders: this.#holders, stamps: this.#stamps };
    this.#size = before.size === 0 ? Math.min(firstSize, this.#maxSize) : before.size * 2;
    this.#keys = new Uint32Array(2 * this.#size);
    this.#holders = new Uint16Array(holdersOfOne * this.#size);
    this.#stamps = new Uint32Array(holdersOfOne * this.#size);
    for (let from = 0; from < before.size; from++) {
      const low = before.keys[2 * from] ?? 0;
      if (low === 0) continue;
      let to = (low & (this.#size / ways - 1)) * ways;
      while (this.#keys[2 * to] !== 0) to++;
      this.#keys.set(before.keys.subarray(2 * from, 2 * from + 2), 2 * to);
      const at = holdersOfOne * from;
      this.#holders.set(before.holders.subarray(at, at + holdersOfOne), holdersOfOne * to);
      this.#stamps.set(before.stamps.subarray(at, at + holdersOfOne), holdersOfOne * to);
    }
  }

  #know(backend: number): void {
    if (backend < this.#windows.length) return;
    const size = Math.max(16, 2 ** Math.ceil(Math.log2(backend + 1)));
    const known = this.#windows.length;
    this.#inserted = longer(this.#inserted, size);
    this.#windows = longer(this.#windows, size).fill(defaultWindow, known);
    this.#widest = longer(this.#widest, size).fill(defaultWindow, known);
  }
}

function longer(from: Uint32Array<ArrayBuffer>, size: number): Uint32Array<ArrayBuffer> {
  const to = new Uint32Array(size);
  to.set(from);
  return to;
}
