// The caller's side of an answer: knows when the caller has gone, and writes without buffering.
import type { ServerResponse } from 'node:http';
import type { Clock } from '../clock.ts';
import type { GatewayError } from '../errors.ts';
import { eventStreamHeaders, type HeaderList, type Reply, type Sink } from '../routing/ports.ts';
import { eventText } from './error-response.ts';

/** A caller that takes nothing for this long is gone, whatever its socket says. */
const patienceMs = 60_000;
/** For the last event to leave, and for the caller to read it. */
const lastWordMs = 5_000;
const readLastWordMs = 100;

export interface CallerReplyParts {
  readonly clock: Clock;
  /** Runs right before the head leaves: the last moment to set headers. */
  readonly onBegin: () => void;
  /** For tests. */
  readonly stallMs?: number;
}

export class CallerReply implements Reply, Sink {
  readonly #response: ServerResponse;
  readonly #clock: Clock;
  readonly #gone = new AbortController();
  readonly #onBegin: () => void;
  readonly #stallMs: number;
  #committed = false;
  #isStream = false;
  #over = false;

  constructor(response: ServerResponse, { clock, onBegin, stallMs = patienceMs }: CallerReplyParts) {
    this.#response = response;
    this.#clock = clock;
    this.#onBegin = onBegin;
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

  get gone(): AbortSignal {
    return this.#gone.signal;
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
    this.#onBegin();
    this.#isStream = headers.some(([name, value]) => name === 'content-type' && value.startsWith('text/event-stream'));
    for (const [name, value] of headers) this.#response.setHeader(name, value);
    this.#response.writeHead(status);
  }

  write(bytes: Buffer): boolean {
    return this.#response.write(bytes);
  }

  onDrain(resume: () => void): void {
    this.#watchProgress();
    const settle = () => {
      this.#response.socket?.setTimeout(0);
      this.#response.off('drain', settle).off('close', settle);
      resume();
    };
    this.#response.on('drain', settle).on('close', settle);
  }

  end(): void {
    this.#over = true;
    this.#response.end();
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
