// Replaces the text value of one depth-1 member in a JSON object that is too long to hold: chunk by chunk, every other
// byte as it came. For replies that are held, json-scan and splice do the same at once.

const quote = 0x22;
const backslash = 0x5c;
/** Longer names are not the one looked for. */
const maxNameBytes = 64;

export class MemberRenamer {
  readonly #member: string;
  readonly #value: Buffer;
  #depth = 0;
  #inString = false;
  #escaped = false;
  #expectsName = false;
  /** The name being read, or the last one read at depth 1. */
  #name = '';
  #readsName = false;
  /** Within the old value: its bytes are left out. */
  #swallows = false;
  #done = false;

  /** `value` is JSON, quotes included. */
  constructor(member: string, value: Buffer) {
    this.#member = member;
    this.#value = value;
  }

  push(chunk: Buffer): Buffer {
    if (this.#done) return chunk;
    const pieces: Buffer[] = [];
    let from = 0;
    for (let at = 0; at < chunk.length && !this.#done; at++) {
      const byte = chunk[at];
      const swallowed = this.#swallows;
      if (this.#inString) this.#stringByte(byte);
      else this.#structureByte(byte);
      if (!swallowed && this.#swallows) {
        pieces.push(chunk.subarray(from, at), this.#value);
      } else if (swallowed && !this.#swallows) {
        from = at + 1;
        this.#done = true;
      }
    }
    if (!this.#swallows) pieces.push(chunk.subarray(from));
    return pieces.length === 1 && pieces[0] !== undefined ? pieces[0] : Buffer.concat(pieces);
  }

  #stringByte(byte: number | undefined): void {
    if (this.#escaped) {
      this.#escaped = false;
    } else if (byte === backslash) {
      this.#escaped = true;
    } else if (byte === quote) {
      this.#inString = false;
      this.#readsName = false;
      this.#swallows = false;
      return;
    }
    if (this.#readsName && byte !== undefined && this.#name.length < maxNameBytes)
      this.#name += String.fromCharCode(byte);
  }

  #structureByte(byte: number | undefined): void {
    switch (byte) {
      case quote:
        this.#inString = true;
        if (this.#depth !== 1) break;
        this.#readsName = this.#expectsName;
        this.#swallows = !this.#expectsName && this.#name === this.#member;
        if (this.#readsName) this.#name = '';
        break;
      case 0x7b:
      case 0x5b:
        this.#depth++;
        if (this.#depth === 1) this.#expectsName = true;
        break;
      case 0x7d:
      case 0x5d:
        this.#depth--;
        break;
      case 0x3a:
        if (this.#depth === 1) this.#expectsName = false;
        break;
      case 0x2c:
        if (this.#depth === 1) this.#expectsName = true;
        break;
      default:
        break;
    }
  }
}
