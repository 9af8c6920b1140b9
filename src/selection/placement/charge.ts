// What a request that runs weighs on its backend: booked when it is sent there, less as it gets on, nothing when it has ended.
import type { Due } from './due.ts';
import type { Experience } from './experience.ts';
import type { Loads } from './loads.ts';

/** What was expected of a request when it was sent. */
export interface Foreseen {
  readonly ttftMs: number;
  readonly promptTokens: number;
  /** Of the prompt, those that the backend was believed to hold. */
  readonly cachedTokens: number;
  /** And the most that any backend was believed to hold. */
  readonly heldTokens: number;
}

/** The part of a request in what its backend has to do. Everything may be called at any time, `end` more than once. */
export interface Charge {
  /** Absent: nothing was expected. */
  readonly foreseen?: Foreseen;
  /** Something of the answer has come. */
  token(): void;
  /** The whole answer is there; `cachedTokens`: as the backend reports them. */
  answered(usage: { readonly cachedTokens: number | undefined }): void;
  end(): void;
}

export const noCharge: Charge = { token: () => {}, answered: () => {}, end: () => {} };

/** Where charges are booked, and who learns from them. */
export interface Ledger {
  readonly loads: Loads;
  readonly experience: Pick<Experience, 'answered'>;
  nowMs(): number;
  changed(backend: number): void;
}

/** How a request has gone, from when it was sent. */
export interface Seen {
  readonly tookMs: number;
  /** Until its first token, where that could be seen. */
  readonly ttftMs?: number;
  /** As the backend reports them. */
  readonly cachedTokens?: number;
}

export interface Booked extends Foreseen {
  /** Of the time to the first token, what passes before its own prompt is computed. */
  readonly aheadMs: number;
  readonly uncachedTokens: number;
  /** At the pace that was believed of the backend then; see `Loads.slownessAt`. */
  readonly slowness: number;
}

/** Tokens of an answer that are booked together. */
const bookedTogether = 64;

export class Booking implements Charge, Due {
  readonly foreseen: Booked;
  readonly #ledger: Ledger;
  readonly #backend: number;
  readonly #bookedMs: number;
  #pending: number;
  #resident: number;
  #tokens = 0;
  #ttftMs: number | undefined = undefined;
  #over = false;

  constructor(ledger: Ledger, backend: number, foreseen: Booked) {
    this.foreseen = foreseen;
    this.#ledger = ledger;
    this.#backend = backend;
    this.#bookedMs = ledger.nowMs();
    this.#pending = foreseen.uncachedTokens;
    this.#resident = foreseen.promptTokens;
    this.#add({ requests: 1, pending: this.#pending, resident: this.#resident });
  }

  token(): void {
    if (this.#over) return;
    if (this.#tokens++ === 0) {
      this.#ttftMs = this.#ledger.nowMs() - this.#bookedMs;
      this.run();
    }
    if (this.#tokens % bookedTogether !== 0) return;
    this.#resident += bookedTogether;
    this.#add({ requests: 0, pending: 0, resident: bookedTogether });
  }

  /** Its prompt is computed, or must be by now. */
  run(): void {
    if (this.#pending === 0) return;
    this.#add({ requests: 0, pending: -this.#pending, resident: 0 });
    this.#pending = 0;
  }

  answered({ cachedTokens }: Parameters<Charge['answered']>[0]): void {
    if (this.#over) return;
    const tookMs = this.#ledger.nowMs() - this.#bookedMs;
    const told = cachedTokens === undefined ? {} : { cachedTokens };
    const ttft = this.#ttftMs === undefined ? {} : { ttftMs: this.#ttftMs };
    this.#ledger.experience.answered(this.#backend, this.foreseen, { tookMs, ...ttft, ...told });
  }

  end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#add({ requests: -1, pending: -this.#pending, resident: -this.#resident });
    this.#pending = this.#resident = 0;
  }

  #add(by: { readonly requests: number; readonly pending: number; readonly resident: number }): void {
    const { of } = this.#ledger.loads;
    const backend = this.#backend;
    of.requests[backend] = (of.requests[backend] ?? 0) + by.requests;
    of.pending[backend] = (of.pending[backend] ?? 0) + by.pending;
    of.resident[backend] = (of.resident[backend] ?? 0) + by.resident;
    this.#ledger.changed(backend);
  }
}
