// The caller's side of an answer: knows when the caller has gone, and writes without buffering.
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { CallerGone, type Gone } from '../admission/gone.ts';
import type { Clock } from '../clock.ts';
import type { GatewayError } from '../errors.ts';
import { eventStreamHeaders, type HeaderList, type Reply, type Sink } from '../routing/ports.ts';
import { eventText } from './error-response.ts';

/** A caller that takes nothing for this long is gone, whatever its socket says. */
const patienceMs = 60_000;
/** An answer that is not much longer than its head. */
const joinedBytes = 16_384;
/** For the last event to leave, and for the caller to read it. */
const lastWordMs = 5_000;
const readLastWordMs = 100;

export interface CallerReplyParts {
  readonly clock: Clock;
  /** Asked right before the head leaves: what it tells of the exchange. */
  readonly describe: () => HeaderList;
  /** For tests. */
  readonly stallMs?: number;
}

export class CallerReply implements Reply, Sink {
  readonly #response: ServerResponse;
  readonly #clock: Clock;
  readonly #gone = new CallerGone();
  readonly #describe: () => HeaderList;
  readonly #stallMs: number;
  /** Among those that run. */
  place = -1;
  #committed = false;
  #isStream = false;
  #hasBegun = false;
  #over = false;

  constructor(response: ServerResponse, { clock, describe, stallMs = patienceMs }: CallerReplyParts) {
    this.#response = response;
    this.#clock = clock;
    this.#describe = describe;
    this.#stallMs = stallMs;
    response.once('close', () => {
      if (!response.writableFinished) this.#gone.abort();
    });
    if (response.destroyed) this.#gone.abort();
  }

  /** Ends it from our side: what runs is told `error`, as an event or as the answer. */
  cutOff(error: GatewayError): void {
    this.#gone.abort(error);
  }

  get gone(): Gone {
    return this.#gone;
  }

  get committed(): boolean {
    return this.#committed;
  }

  get opened(): boolean {
    return this.#isStream;
  }

  open(): void {
    if (this.#isStream || this.#response.destroyed) return;
    this.#sendHead(200, eventStreamHeaders);
    this.#response.flushHeaders();
  }

  comment(text: string): void {
    if (!this.#over && !this.#response.destroyed) this.#response.write(`: ${text}\n\n`);
  }

  begin(status: number, headers: HeaderList): Sink {
    this.#committed = true;
    if (!this.#isStream) this.#sendHead(status, headers);
    return this;
  }

  #sendHead(status: number, headers: HeaderList): void {
    this.#isStream = headers.some(([name, value]) => name === 'content-type' && value.startsWith('text/event-stream'));
    this.#response.writeHead(status, [...this.#describe(), ...headers].flat());
  }

  write(bytes: Buffer): boolean {
    // An empty chunk would be the last one.
    if (bytes.length === 0) return true;
    // Copying what is long would cost more than it saves.
    const socket = bytes.length > joinedBytes ? undefined : this.#framed();
    if (socket !== undefined) return socket.write(chunkOf(bytes));
    this.#hasBegun = true;
    return this.#response.write(bytes);
  }

  /**
   * The socket, once the head and the first piece of a chunked answer have been written to it: a chunk of our own making is
   * one write where Node's is three. Behind another answer on the same connection there is no socket yet.
   */
  #framed(): Socket | undefined {
    const { socket, chunkedEncoding, destroyed } = this.#response;
    return this.#isStream && this.#hasBegun && chunkedEncoding && !destroyed ? (socket ?? undefined) : undefined;
  }

  onDrain(resume: () => void): void {
    this.#watchProgress();
    const writer = this.#framed() ?? this.#response;
    const settle = () => {
      this.#response.socket?.setTimeout(0);
      writer.off('drain', settle);
      this.#response.off('close', settle);
      resume();
    };
    writer.on('drain', settle);
    this.#response.on('close', settle);
  }

  end(last?: Buffer): void {
    this.#over = true;
    if (last === undefined) this.#response.end();
    // As a text, byte by byte, it is joined to the head: one piece for the system to take instead of two.
    else if (last.length <= joinedBytes) this.#response.end(last.toString('latin1'), 'latin1');
    else this.#response.end(last);
    // Until the last byte is taken; then Node sets the time that an idle connection may last.
    if (!this.#response.writableFinished) this.#watchProgress();
  }

  /**
   * A socket's own time-out starts anew whenever some bytes were taken, so a slow caller is none that has stalled. It looks
   * only when it fires, so that the last bytes may have been taken right behind the time before: hence half of it.
   */
  #watchProgress(): void {
    this.#response.socket?.setTimeout(this.#stallMs / 2);
  }

  fail(error: GatewayError): void {
    if (!this.#response.headersSent || this.#over) return;
    this.#over = true;
    if (this.#response.destroyed) return;
    if (!this.#isStream) {
      this.#response.destroy();
      return;
    }
    // Without the last chunk, so that a caller that ignores the event still sees a broken transport. Not at once: the
    // body of a fetch that breaks forgets what was not read yet, and with it the event.
    let cancel = this.#clock.after(lastWordMs, () => this.#response.destroy());
    const hangUp = () => {
      cancel();
      cancel = this.#clock.after(readLastWordMs, () => this.#response.socket?.destroySoon());
    };
    this.#response.once('close', () => cancel());
    this.#response.write(eventText(error), hangUp);
  }
}

/** https://www.rfc-editor.org/rfc/rfc9112#name-chunked-transfer-coding */
function chunkOf(bytes: Buffer): Buffer {
  const size = `${bytes.length.toString(16)}\r\n`;
  const chunk = Buffer.allocUnsafe(size.length + bytes.length + 2);
  chunk.write(size, 'latin1');
  bytes.copy(chunk, size.length);
  chunk[chunk.length - 2] = 0x0d;
  chunk[chunk.length - 1] = 0x0a;
  return chunk;
}
