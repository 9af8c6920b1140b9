// Server-sent events as bytes: finds whole events in chunks that were split anywhere. Whole events are passed on as
// they came; only the unfinished tail of a read waits for the rest.
// https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream

const lf = 0x0a;
const cr = 0x0d;
const colon = 0x3a;
const empty = Buffer.alloc(0);

export class SseSplitter {
  /** After `push`: the bytes of all events that are now whole, one behind the other. */
  whole: Buffer = empty;
  /** After `push`: where each of them ends within `whole`. The array is reused. */
  readonly ends: number[] = [];
  // The unfinished event as the pieces it came in: joined once, however many there are.
  #tail: Buffer[] = [];
  #tailBytes = 0;
  #lineEmpty = true;
  #afterCr = false;

  /** Bytes of the event that is still unfinished. */
  get pendingBytes(): number {
    return this.#tailBytes;
  }

  push(chunk: Buffer): void {
    if (this.ends.length > 0) this.ends.length = 0;
    if (this.#afterCr || chunk.includes(cr)) this.#scanAnyLineEnd(chunk);
    else this.#scanLf(chunk);
    const last = this.ends.at(-1);
    if (last === undefined) {
      this.whole = empty;
      this.#hold(chunk);
      return;
    }
    const end = last - this.#tailBytes;
    const head = end === chunk.length ? chunk : chunk.subarray(0, end);
    this.whole = this.#tail.length === 0 ? head : Buffer.concat([...this.#tail, head]);
    this.#tail = [];
    this.#tailBytes = 0;
    if (end < chunk.length) this.#hold(chunk.subarray(end));
  }

  /** What never became a whole event; the stream is over. */
  takeTail(): Buffer {
    const tail = Buffer.concat(this.#tail);
    this.#tail = [];
    this.#tailBytes = 0;
    return tail;
  }

  #hold(bytes: Buffer): void {
    this.#tail.push(bytes);
    this.#tailBytes += bytes.length;
  }

  #scanLf(chunk: Buffer): void {
    let at = 0;
    for (;;) {
      const end = chunk.indexOf(lf, at);
      if (end === -1) break;
      if (end === at && this.#lineEmpty) this.ends.push(this.#tailBytes + end + 1);
      this.#lineEmpty = true;
      at = end + 1;
    }
    if (at < chunk.length) this.#lineEmpty = false;
  }

  #scanAnyLineEnd(chunk: Buffer): void {
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at];
      const here = this.#tailBytes + at;
      if (byte === lf && this.#afterCr) {
        // Second half of CRLF. It belongs to the event its CR has ended, unless that one has already left.
        this.#afterCr = false;
        if (this.ends.at(-1) === here) this.ends[this.ends.length - 1] = here + 1;
        continue;
      }
      this.#afterCr = byte === cr;
      if (byte !== lf && byte !== cr) {
        this.#lineEmpty = false;
      } else {
        if (this.#lineEmpty) this.ends.push(here + 1);
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

/** Whether an event has data at all: a comment may speak of data, too. */
export function hasData(event: Buffer): boolean {
  if (event[0] === 0x64 && event[1] === 0x61 && event[2] === 0x74 && event[3] === 0x61 && event[4] === colon)
    return true;
  for (let at = event.indexOf('data'); at !== -1; at = event.indexOf('data', at + 4)) {
    const [before, after] = [event[at - 1], event[at + 4]];
    const beginsLine = before === undefined || before === lf || before === cr || (at === 3 && event[0] === 0xef);
    if (beginsLine && (after === undefined || after === colon || after === lf || after === cr)) return true;
  }
  return false;
}
