// Where the time of an exchange goes, as numbers: what of it is the router's own, and what was spent on others. Clock
// milliseconds come in, durations come out; undefined is what it did not come to.

export class Timings {
  readonly #arrivedMs: number;
  /** From the last byte of the request to the end of reading it. */
  parseMs: number | undefined = undefined;
  /** From the start of the last attempt until it had a connection to write on. */
  connectMs: number | undefined = undefined;
  /** From the bytes that decided on the answer until the first of it was handed on. */
  relayMs: number | undefined = undefined;
  #answeredAtMs: number | undefined = undefined;
  /** Since when it is up to the router what comes next. */
  #sinceMs: number | undefined = undefined;
  /** Up to the router so far, waiting included. */
  #betweenMs = 0;

  constructor(arrivedMs: number) {
    this.#arrivedMs = arrivedMs;
  }

  /** Its last byte is here. */
  received(nowMs: number): void {
    this.#sinceMs = nowMs;
  }

  parsed(nowMs: number): void {
    this.parseMs = nowMs - (this.#sinceMs ?? nowMs);
  }

  /** It is up to a backend now. */
  asked(nowMs: number): void {
    this.#betweenMs = this.#between(nowMs);
    this.#sinceMs = undefined;
    this.connectMs = undefined;
  }

  /** The attempt has failed; perhaps there is another one. */
  returned(nowMs: number): void {
    this.#sinceMs = nowMs;
  }

  /** The first of the answer is about to leave; `heardMs`: when the bytes came that decided on it. */
  answered(nowMs: number, heardMs: number): void {
    if (this.#answeredAtMs !== undefined) return;
    this.#answeredAtMs = nowMs;
    this.relayMs = nowMs - heardMs;
  }

  /** In the router before its attempts and between them, without the time in the waiting room. */
  routeMs(nowMs: number, queuedMs: number): number {
    return Math.max(0, this.#between(nowMs) - queuedMs);
  }

  /** From arrival to the first of the answer. */
  get ttftMs(): number | undefined {
    return this.#answeredAtMs === undefined ? undefined : this.#answeredAtMs - this.#arrivedMs;
  }

  #between(nowMs: number): number {
    return this.#sinceMs === undefined ? this.#betweenMs : this.#betweenMs + (nowMs - this.#sinceMs);
  }
}

/** Milliseconds as they are shown: the router's own share of an exchange is below one. */
export function inHundredths(ms: number): number;
export function inHundredths(ms: number | undefined): number | undefined;
export function inHundredths(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : Math.round(ms * 100) / 100;
}
