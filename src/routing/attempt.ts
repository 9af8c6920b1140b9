// One try of one request on one backend: its timers, its socket, and its single end. What the bytes mean is decided
// by the relays; what the end teaches, by aftermath.
import type { Slot } from '../admission/slots.ts';
import { toGatewayError } from '../errors.ts';
import type { HeaderMap } from '../engines/engine.ts';
import type { Timeouts } from '../fleet/fleet.ts';
import { type AftermathParts, bookAttempt } from './aftermath.ts';
import type { Continuation } from './continuation.ts';
import type { Delivery, Exchange } from './exchange.ts';
import { AttemptTimers } from './attempt-timers.ts';
import { AttemptFailure, timedOut, transportFailed, whyGone } from './failures.ts';
import { inSeconds } from './patience.ts';
import { whenClosed } from './hang-up.ts';
import { PlainRelay } from './plain-relay.ts';
import type { AttemptTrace, HeaderList, Reply, Sink } from './ports.ts';
import type { TransportFailure, Upstream, UpstreamCall, UpstreamHandler } from './ports.ts';
import { type Prepared, prepare } from './prepare.ts';
import { StreamRelay } from './stream-relay.ts';
import { sayTrailer } from './trailer.ts';

/** While a prompt is read nothing comes, perhaps for minutes. */
const prefillComments = { firstMs: 15_000, everyMs: 15_000 };

export interface AttemptParts extends AftermathParts {
  readonly upstream: Upstream;
}

/** Resolves when the whole answer was handed on; rejects with the GatewayError that ended the attempt. */
export function attempt(parts: AttemptParts, delivery: Delivery, slot: Slot): Promise<void> {
  delivery.exchange.attempts++;
  delivery.exchange.backend = slot.candidate.backend.name;
  delivery.exchange.engine = slot.candidate.engine.name;
  return new Promise((resolve, reject) => {
    const done = (failure: AttemptFailure | undefined) => {
      if (failure === undefined) resolve();
      else reject(failure.error);
    };
    new Attempt(parts, delivery, slot, done).start();
  });
}

/** What reads a reply: held back until it commits, then handed on. */
export interface Relay {
  data(chunk: Buffer): void;
  ended(): void;
  /** The connection broke, or a timer ran out, after the head. */
  broke(failure: AttemptFailure): void;
}

export class Attempt implements UpstreamHandler {
  readonly slot: Slot;
  readonly exchange: Exchange;
  readonly prepared: Prepared;
  /** The continuation it is a later part of. */
  readonly resumed: Continuation | undefined;
  readonly #parts: AttemptParts;
  readonly #delivery: Delivery;
  readonly #reply: Reply;
  readonly #done: (failure: AttemptFailure | undefined) => void;
  readonly #timeouts: Timeouts;
  readonly #startedMs: number;
  readonly #timers: AttemptTimers;
  readonly #trace: AttemptTrace | undefined;
  readonly #hungUp = () => this.#fail(new AttemptFailure(whyGone(this.#reply.gone)));
  #call: UpstreamCall | undefined = undefined;
  #relay: Relay | undefined = undefined;
  #sink: Sink | undefined = undefined;
  #paused = false;
  #over = false;
  /** When the bytes came that were last looked at before the commit. */
  #heardMs = 0;

  constructor(
    parts: AttemptParts,
    delivery: Delivery,
    slot: Slot,
    done: (failure: AttemptFailure | undefined) => void,
  ) {
    this.slot = slot;
    this.exchange = delivery.exchange;
    const { id, grant, continuation, trace, attempts: number } = delivery.exchange;
    const { backend, model } = slot.candidate;
    this.#trace = trace?.attempt({ backend, model, number });
    this.resumed = continuation?.isDue === true ? continuation : undefined;
    const purpose = { requestId: id, countsTokens: grant?.countsTokens === true, traced: this.#trace?.headers };
    const soFar = this.resumed && { text: this.resumed.prompt, tokensLeft: this.resumed.tokensLeft };
    this.prepared = prepare(delivery.request, soFar ? { ...purpose, soFar } : purpose, slot.candidate);
    this.#parts = parts;
    this.#delivery = delivery;
    this.#reply = delivery.reply;
    this.#done = done;
    this.#timeouts = slot.candidate.timeouts;
    this.#startedMs = parts.clock.now();
    this.exchange.timings.asked(this.#startedMs);
    this.#timers = new AttemptTimers(parts.clock, slot.candidate.state.silence, (limit, ms) =>
      this.#fail(timedOut(slot.candidate, limit, ms)),
    );
  }

  start(): void {
    if (this.#reply.gone.aborted) return this.#hungUp();
    this.#reply.gone.addEventListener('abort', this.#hungUp);
    this.#timers.deadline(this.exchange.deadlineMs - this.#startedMs, this.exchange.totalMs);
    this.#timers.phase('connect_timeout', this.#timeouts.connectMs);
    this.exchange.patience?.tell(
      () => `prefill elapsed=${inSeconds(this.#parts.clock.now() - this.#startedMs)}`,
      prefillComments,
    );
    this.#guard(() => {
      const call = this.#parts.upstream.send(this.slot.candidate.backend, this.prepared.request, this);
      if (this.#over) call.abort();
      else this.#call = call;
    });
  }

  connected(): void {
    this.#trace?.connected();
    this.exchange.timings.connectMs = this.#parts.clock.now() - this.#startedMs;
    const { firstByteMs, firstBytePlainMs } = this.#timeouts;
    this.#timers.phase('first_byte_timeout', this.#delivery.request.stream ? firstByteMs : firstBytePlainMs);
  }

  head(status: number, headers: HeaderMap): void {
    if (this.#over) return;
    const isStream = status >= 200 && status < 300 && headers['content-type']?.startsWith('text/event-stream') === true;
    this.#relay = isStream ? new StreamRelay(this, status, headers) : new PlainRelay(this, status, headers);
    // A stream's head says nothing yet: engines send it before they have queued the request.
    if (!isStream) this.#timers.watchGaps(this.#timeouts.gapMs);
  }

  data(chunk: Buffer): void {
    if (this.#over) return;
    this.#listen();
    this.#guard(() => this.#relay?.data(chunk));
  }

  ended(): void {
    if (this.#over) return;
    this.#listen();
    this.#guard(() => this.#relay?.ended());
  }

  failed(failure: TransportFailure): void {
    if (!this.#over) this.#fail(transportFailed(this.slot.candidate, failure));
  }

  /** From here on nothing can be tried elsewhere. */
  commit(status: number, headers: HeaderList): void {
    this.exchange.patience?.end();
    this.resumed?.resume();
    this.exchange.timings.answered(this.#parts.clock.now(), this.#heardMs);
    this.#sink = this.#reply.begin(status, headers);
    this.exchange.status = status;
    this.exchange.answered = true;
    if (status < 400) this.slot.candidate.memberState.circuit.confirm(this.slot.ticket);
    this.#timers.watchGaps(this.#timeouts.gapMs);
  }

  get committed(): boolean {
    return this.#sink !== undefined;
  }

  /** The head of an event stream has left, so nothing but one can follow. */
  get mustStream(): boolean {
    return this.#reply.opened;
  }

  /** Something of the answer arrived; comments do not count. */
  progressed(): void {
    this.#timers.progressed();
  }

  contentSeen(): void {
    this.exchange.contentEvents++;
    this.slot.charge.token();
    this.exchange.firstTokenAtMs ??= this.#parts.clock.now();
    this.#trace?.firstToken();
  }

  /** Hands on bytes; when the caller reads too slowly, the backend is not read either. */
  write(bytes: Buffer): void {
    if (this.#sink === undefined || bytes.length === 0 || this.#sink.write(bytes) || this.#paused) return;
    this.#paused = true;
    this.#timers.hold();
    this.#call?.pause();
    this.#sink.onDrain(() => {
      this.#paused = false;
      this.#timers.goOn();
      if (!this.#over) this.#call?.resume();
    });
  }

  /** The whole answer is there, or the engine's own error stands at its end. */
  finish(failure?: AttemptFailure, last?: Buffer): void {
    this.#endAnswer(last);
    this.end(failure);
  }

  /** The backend has failed, and the answer is complete all the same. */
  finishDespite(failure: AttemptFailure): void {
    this.#endAnswer();
    this.#close(failure, undefined);
  }

  #endAnswer(last?: Buffer): void {
    sayTrailer(this.exchange, this.#reply, this.#parts.clock.now());
    this.#sink?.end(last);
  }

  /**
   * The one end: releases timers, listener and socket, then books. What the caller sees of a failure is up to the route.
   */
  end(failure: AttemptFailure | undefined): void {
    this.#close(failure, failure);
  }

  #close(failure: AttemptFailure | undefined, told: AttemptFailure | undefined): void {
    if (this.#over) return;
    this.#over = true;
    this.#timers.cancel();
    this.#reply.gone.removeEventListener('abort', this.#hungUp);
    // After a reply that was read to its end this is without effect, and the connection is kept.
    this.#call?.abort(whenClosed(this.#parts, failure));
    this.#trace?.ended(failure?.error.row.type ?? 'ok');
    const left = { committed: this.committed, resumed: this.resumed !== undefined };
    bookAttempt(this.#parts, this.#delivery, this.slot, { startedMs: this.#startedMs, failure, ...left });
    this.#done(told);
  }

  #fail(failure: AttemptFailure): void {
    if (this.#relay === undefined) this.end(failure);
    else this.#relay.broke(failure);
  }

  #listen(): void {
    if (!this.committed) this.#heardMs = this.#parts.clock.now();
  }

  /** A bug while reading a reply ends this attempt, never the process. */
  #guard(read: () => void): void {
    try {
      read();
    } catch (thrown) {
      this.#fail(new AttemptFailure(toGatewayError(thrown)));
    }
  }
}
