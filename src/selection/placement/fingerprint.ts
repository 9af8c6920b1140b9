// What a prompt begins with, as numbers: hashes of its first bytes at growing depths, each chained on those before it, so that
// one that is known proves everything up to its depth. Over raw bytes: a turn's messages begin with the bytes of the turn before.

/** Hashed at a time. A last chunk that is not full does not count. */
export const chunkBytes = 1_024;
/** About as many. */
export const chunkTokens = 256;

/** Points stand behind each of the first 64 chunks, then every 4 KiB to 256 KiB, then every 16 KiB. */
const [dense, denseBytes] = [64, 64 * chunkBytes];
const [sparse, sparseBytes] = [dense + 48, 262_144];
/** Deepest at 6.5 MiB; what lies behind says nothing more. */
export const maxPoints = 512;

/** How deep a point stands, in bytes; points count from 0. */
export function depthOf(point: number): number {
  if (point < dense) return (point + 1) * chunkBytes;
  if (point < sparse) return denseBytes + (point + 1 - dense) * 4_096;
  return sparseBytes + (point + 1 - sparse) * 16_384;
}

export class Fingerprint {
  /** Of each point, shallowest first: the lower 32 bits of its hash, and 21 more above them. */
  readonly low: Uint32Array;
  readonly high: Uint32Array;
  /** Of the whole prompt, whatever lies behind the last point included; and what stood before its first byte. */
  readonly bytes: number;
  readonly leadBytes: number;

  constructor(low: Uint32Array, high: Uint32Array, bytes: number, leadBytes = 0) {
    this.low = low;
    this.high = high;
    this.bytes = bytes;
    this.leadBytes = leadBytes;
  }

  get length(): number {
    return this.low.length;
  }

  /** The hash of a point as a whole number below 2^53, as it travels between routers. */
  key(point: number): number {
    return (this.high[point] ?? 0) * 4_294_967_296 + (this.low[point] ?? 0);
  }
}

export const nothingKnown = new Fingerprint(new Uint32Array(0), new Uint32Array(0), 0);

/** Reusable, one prompt after the other: `begin`, then the prompt in pieces of any size, then `end`. */
export class Fingerprinter {
  readonly #low = new Uint32Array(maxPoints);
  readonly #high = new Uint32Array(maxPoints);
  readonly #rest = new Uint8Array(chunkBytes);
  readonly #restView = new DataView(this.#rest.buffer);
  #restBytes = 0;
  #bytes = 0;
  #leadBytes = 0;
  #chunks = 0;
  #points = 0;
  #a = 0;
  #b = 0;

  /** `words`: whatever else must be the same for a prefix to be the same, such as the model, the adapter and the tenant. */
  begin(words: readonly string[] = []): void {
    this.#a = 0x3c6e_f372;
    this.#b = 0x1b87_3593;
    this.#restBytes = this.#bytes = this.#leadBytes = this.#chunks = this.#points = 0;
    for (const word of words) {
      for (let at = 0; at < word.length; at++) this.#mix(word.charCodeAt(at), at);
      this.#mix(word.length, -1);
    }
  }

  /** Bytes that stand before the prompt and have no points of their own: the tools. Before the first `push`. */
  lead(bytes: Uint8Array, start = 0, end = bytes.length): void {
    const whole = end - ((end - start) % 8);
    this.#leadBytes += end - start;
    this.#absorb(new DataView(bytes.buffer, bytes.byteOffset), start, whole);
    for (let at = whole; at < end; at++) this.#mix(bytes[at] ?? 0, at - whole);
    this.#mix(end - start, -2);
  }

  push(bytes: Uint8Array, start = 0, end = bytes.length): void {
    this.#bytes += end - start;
    let at = start;
    if (this.#restBytes > 0) {
      at = Math.min(end, start + chunkBytes - this.#restBytes);
      this.#keep(bytes, start, at);
      if (this.#restBytes < chunkBytes) return;
      this.#restBytes = 0;
      this.#chunk(this.#restView, 0);
    }
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    for (; at + chunkBytes <= end; at += chunkBytes) this.#chunk(view, at);
    this.#keep(bytes, at, end);
  }

  end(): Fingerprint {
    return new Fingerprint(
      this.#low.slice(0, this.#points),
      this.#high.slice(0, this.#points),
      this.#bytes,
      this.#leadBytes,
    );
  }

  #keep(bytes: Uint8Array, start: number, end: number): void {
    if (end <= start) return;
    this.#rest.set(bytes.subarray(start, end), this.#restBytes);
    this.#restBytes += end - start;
  }

  #chunk(view: DataView, at: number): void {
    if (this.#points === maxPoints) return;
    this.#absorb(view, at, at + chunkBytes);
    this.#chunks++;
    if (this.#chunks * chunkBytes !== depthOf(this.#points)) return;
    const high = finish(this.#b) >>> 11;
    const low = finish(this.#a ^ Math.imul(this.#b, 0x27d4_eb2f));
    // Zero is what an empty place of the index holds.
    this.#low[this.#points] = low === 0 ? 1 : low;
    this.#high[this.#points] = high;
    this.#points++;
  }

  /** Two lanes, eight bytes a step; both lanes see all of them. */
  #absorb(view: DataView, start: number, end: number): void {
    let a = this.#a;
    let b = this.#b;
    for (let at = start; at < end; at += 8) {
      const x = view.getInt32(at, true);
      const y = view.getInt32(at + 4, true);
      a = Math.imul(((a << 13) | (a >>> 19)) ^ (Math.imul(x, 0x85eb_ca77) + y), 0x9e37_79b1);
      b = Math.imul(((b << 11) | (b >>> 21)) + (Math.imul(y, 0xc2b2_ae3d) ^ x), 0x1656_67b1);
    }
    this.#a = a;
    this.#b = b;
  }

  #mix(value: number, place: number): void {
    this.#a = Math.imul(((this.#a << 13) | (this.#a >>> 19)) ^ (Math.imul(value, 0x85eb_ca77) + place), 0x9e37_79b1);
    this.#b = Math.imul(((this.#b << 11) | (this.#b >>> 21)) + (Math.imul(place, 0xc2b2_ae3d) ^ value), 0x1656_67b1);
  }
}

/** MurmurHash3's finaliser: every bit of the input changes half of the output. */
export function finish(lane: number): number {
  let mixed = lane ^ (lane >>> 16);
  mixed = Math.imul(mixed, 0x85eb_ca6b);
  mixed ^= mixed >>> 13;
  mixed = Math.imul(mixed, 0xc2b2_ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

/** 32 bits of a text, the same everywhere. */
export function hashOfText(text: string): number {
  let a = 0x811c_9dc5;
  for (let at = 0; at < text.length; at++) a = Math.imul(a ^ text.charCodeAt(at), 0x0100_0193);
  return finish(a ^ text.length);
}
