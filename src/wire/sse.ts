// Server-sent events as bytes: finds whole events in chunks that were split anywhere. Whole events are passed on as
// they came; only the unfinished tail of a read waits for the rest.
// https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream

const lf = 0x0a;
const cr = 0x0d;
const empty = Buffer.alloc(0);

export class SseSplitter {
  /** After `push`: the bytes of all events that are now whole, one behind the other. */
  whole: Buffer = empty;
  /** After `push`: where each of them ends within `whole`. The array is reused. */
  readonly ends: number[] = [];
  #tail: Buffer = empty;
  #lineEmpty = true;
  #afterCr = false;

  /** Bytes of the event that is still unfinished. */
  get pendingBytes(): number {
    return this.#tail.length;
  }

  push(chunk: Buffer): void {
    const held = this.#tail.length;
    const bytes = held === 0 ? chunk : Buffer.concat([this.#tail, chunk]);
    this.ends.length = 0;
    if (this.#afterCr || chunk.includes(cr)) this.#scanAnyLineEnd(bytes, held);
    else this.#scanLf(bytes, held);
    const end = this.ends.at(-1) ?? 0;
    this.whole = bytes.subarray(0, end);
    this.#tail = bytes.subarray(end);
  }

  /** What never became a whole event; the stream is over. */
  takeTail(): Buffer {
    const tail = this.#tail;
    this.#tail = empty;
    return tail;
  }

  #scanLf(bytes: Buffer, from: number): void {
    let at = from;
    for (;;) {
      const end = bytes.indexOf(lf, at);
      if (end === -1) break;
      if (end === at && this.#lineEmpty) this.ends.push(end + 1);
      this.#lineEmpty = true;
      at = end + 1;
    }
    if (at < bytes.length) this.#lineEmpty = false;
  }

  #scanAnyLineEnd(bytes: Buffer, from: number): void {
    for (let at = from; at < bytes.length; at++) {
      const byte = bytes[at];
      if (byte === lf && this.#afterCr) {
        // Second half of CRLF. It belongs to the event its CR has ended, unless that one has already left.
        this.#afterCr = false;
        if (this.ends.at(-1) === at) this.ends[this.ends.length - 1] = at + 1;
        continue;
      }
      this.#afterCr = byte === cr;
      if (byte !== lf && byte !== cr) {
        this.#lineEmpty = false;
      } else {
        if (this.#lineEmpty) this.ends.push(at + 1);
        this.#lineEmpty = true;
      }
    }
  }
}

/**
 * The `data:` lines of one whole event, joined with line feeds; undefined for an event without any, which is what
 * keep-alive comments are.
 */
export function eventData(event: Buffer): string | undefined {
  let text = event.toString('utf8');
  if (text.charCodeAt(0) === 0xfeff) text = text.slice(1);
  let data: string | undefined;
  for (const line of text.split(/\r\n|\r|\n/)) {
    if (line !== 'data' && !line.startsWith('data:')) continue;
    const value = line.startsWith('data: ') ? line.slice(6) : line.slice(5);
    data = data === undefined ? value : `${data}\n${value}`;
  }
  return data;
}
