// An event stream: held back until the first event that a caller would miss, then handed on as whole events, and its
// end checked against the protocol's own terminator. A 200 alone commits nothing: engines put errors behind it.
import type { EventReading, HeaderMap } from '../engines/engine.ts';
import { eventData, hasData, SseSplitter } from '../wire/sse.ts';
import type { Attempt, Relay } from './attempt.ts';
import { type AttemptFailure, broken, streamedError, streamedErrorAfterCommit } from './failures.ts';
import { eventStreamHeaders } from './ports.ts';
import { relayedEvent } from './prepare.ts';

const maxHeldBytes = 65_536;
const maxEventBytes = 1_048_576;

export class StreamRelay implements Relay {
  readonly #attempt: Attempt;
  readonly #status: number;
  readonly #contentType: string;
  readonly #splitter = new SseSplitter();
  #held: Buffer[] = [];
  #heldBytes = 0;
  #done = false;
  #engineError: AttemptFailure | undefined = undefined;

  constructor(attempt: Attempt, status: number, headers: HeaderMap) {
    this.#attempt = attempt;
    this.#status = status;
    this.#contentType = headers['content-type'] ?? 'text/event-stream';
  }

  data(chunk: Buffer): void {
    this.#splitter.push(chunk);
    this.#handOn(this.#splitter.whole, this.#splitter.ends);
    if (this.#splitter.pendingBytes > maxEventBytes) {
      this.broke(broken(this.#attempt.slot.candidate, 'sent one event of more than 1 MiB'));
    }
  }

  ended(): void {
    const tail = this.#splitter.takeTail();
    // Some servers leave out the blank line behind the last event.
    if (tail.length > 0 && eventData(tail) === '[DONE]') this.#handOn(tail, [tail.length]);
    // Such as the second half of the last CRLF.
    else if (this.#done && !hasData(tail)) this.#attempt.write(tail);
    if (this.#done || this.#engineError !== undefined) this.#attempt.finish(this.#engineError);
    else this.broke(broken(this.#attempt.slot.candidate, 'ended its stream before it was complete'));
  }

  broke(failure: AttemptFailure): void {
    // What comes after the terminator, or after the engine's own last word, changes nothing for the caller.
    if (this.#done || this.#engineError !== undefined) return this.#attempt.finish(this.#engineError);
    const rest = this.#attempt.committed ? this.#attempt.exchange.continuation?.rest() : undefined;
    if (rest === undefined || !isBackends(failure)) return this.#attempt.end(failure);
    this.#attempt.write(Buffer.from(rest));
    this.#attempt.finishDespite(failure);
  }

  /** Takes whole events, one behind the other, and sends in one write what may leave. */
  #handOn(events: Buffer, ends: readonly number[]): void {
    const { prepared, exchange } = this.#attempt;
    const { continuation } = exchange;
    const spliced = prepared.dropUsageEvent || prepared.renameTo !== undefined || continuation !== undefined;
    const pieces: Buffer[] = [];
    let start = 0;
    let heldUpTo = 0;
    for (const end of ends) {
      const event = piece(events, start, end);
      start = end;
      const reading = this.#read(event);
      if (reading?.failure !== undefined && !this.#attempt.committed) {
        return this.#attempt.end(streamedError(this.#attempt.slot.candidate, reading.failure, eventData(event) ?? ''));
      }
      if (this.#engineError !== undefined && continuation?.maySurvive(this.#engineError.error) === true) {
        // Another backend's part takes the place of this last word.
        this.#attempt.write(Buffer.concat(pieces));
        return this.#attempt.end(this.#engineError);
      }
      const relayed = spliced ? this.#relayed(event, reading) : event;
      if (!this.#attempt.committed) {
        this.#hold(relayed, reading);
        heldUpTo = end;
      } else if (spliced && relayed !== undefined) {
        pieces.push(relayed);
      }
    }
    if (this.#attempt.committed)
      this.#attempt.write(spliced ? Buffer.concat(pieces) : piece(events, heldUpTo, events.length));
  }

  #relayed(event: Buffer, reading: EventReading | undefined): Buffer | undefined {
    const { prepared, resumed, exchange } = this.#attempt;
    let relayed = relayedEvent(event, reading, prepared);
    if (exchange.continuation === undefined || relayed === undefined) return relayed;
    let data = eventData(relayed);
    if (resumed !== undefined && data !== undefined) {
      data = resumed.stitch(data);
      relayed = data === undefined ? undefined : Buffer.from(`data: ${data}\n\n`);
    }
    if (data !== undefined) exchange.continuation.note(data);
    return relayed;
  }

  #hold(event: Buffer | undefined, reading: EventReading | undefined): void {
    if (event !== undefined) {
      this.#held.push(event);
      this.#heldBytes += event.length;
    }
    if (reading?.content !== true && reading?.done !== true && this.#heldBytes <= maxHeldBytes) return;
    const [, ...others] = eventStreamHeaders;
    this.#attempt.commit(this.#status, [['content-type', this.#contentType], ...others]);
    this.#attempt.write(Buffer.concat(this.#held));
    this.#held = [];
  }

  /** Reads what an event tells; undefined for comments. After the commit only events that can matter are parsed. */
  #read(event: Buffer): EventReading | undefined {
    const committed = this.#attempt.committed;
    if (committed && !mayMatter(event)) {
      if (hasData(event)) this.#noteContent();
      return undefined;
    }
    const data = eventData(event);
    if (data === undefined) return undefined;
    const reading = this.#attempt.slot.candidate.engine.readEvent(data);
    if (reading.done) this.#done = true;
    const { exchange, resumed } = this.#attempt;
    if (reading.usage !== undefined) exchange.usage = resumed?.sum(reading.usage) ?? reading.usage;
    if (reading.content) this.#noteContent();
    else this.#attempt.progressed();
    if (reading.failure !== undefined && committed) {
      this.#engineError ??= streamedErrorAfterCommit(this.#attempt.slot.candidate, reading.failure);
    }
    return reading;
  }

  #noteContent(): void {
    this.#attempt.progressed();
    this.#attempt.contentSeen();
  }
}

/** A view of a part; of the whole, as it mostly is, that itself. */
function piece(events: Buffer, start: number, end: number): Buffer {
  return start === 0 && end === events.length ? events : events.subarray(start, end);
}

/** The caller's leaving, a drain and the deadline are no breaks to be mended. */
function isBackends({ error }: AttemptFailure): boolean {
  return error.row.source === 'backend';
}

/** Cheap and never wrong the harmful way: an error, usage, abort or the end always contains one of these words. */
function mayMatter(event: Buffer): boolean {
  return telling.test(event.toString('latin1'));
}

const telling = /"(?:usage|error|abort)"|\[DONE\]/;
