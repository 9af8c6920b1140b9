// The time limits of one attempt: the exchange's deadline, and one phase after the other. Timers of our own, because
// undici's are coarse and do not know what they wait for.
import type { Clock } from '../clock.ts';

export type TimeLimit = 'connect_timeout' | 'first_byte_timeout' | 'gap_timeout' | 'total_timeout';

export class AttemptTimers {
  readonly #clock: Clock;
  readonly #expired: (limit: TimeLimit, ms: number) => void;
  #cancelDeadline: () => void = () => {};
  #cancelPhase: () => void = () => {};
  #progressMs = 0;
  #held = false;

  /** `expired` is told the limit as it was set, in milliseconds. */
  constructor(clock: Clock, expired: (limit: TimeLimit, ms: number) => void) {
    this.#clock = clock;
    this.#expired = expired;
  }

  /** `leftMs` of the `totalMs` that the whole exchange may take. */
  deadline(leftMs: number, totalMs: number): void {
    this.#cancelDeadline = this.#clock.after(leftMs, () => this.#expired('total_timeout', totalMs));
  }

  /** Ends the phase before. */
  phase(limit: 'connect_timeout' | 'first_byte_timeout', ms: number): void {
    this.#cancelPhase();
    this.#cancelPhase = this.#clock.after(ms, () => this.#expired(limit, ms));
  }

  /** The last phase: something has to come every `gapMs`. One timer that looks back, instead of one per event. */
  watchGaps(gapMs: number): void {
    this.#cancelPhase();
    this.progressed();
    const watch = (waitMs: number) => {
      this.#cancelPhase = this.#clock.after(waitMs, () => {
        const silentMs = this.#held ? 0 : this.#clock.now() - this.#progressMs;
        if (silentMs >= gapMs) this.#expired('gap_timeout', gapMs);
        else watch(gapMs - silentMs);
      });
    };
    watch(gapMs);
  }

  progressed(): void {
    this.#progressMs = this.#clock.now();
  }

  /** While the caller is slow, the backend is not to blame for silence. */
  hold(): void {
    this.#held = true;
  }

  goOn(): void {
    this.#held = false;
    this.progressed();
  }

  cancel(): void {
    this.#cancelDeadline();
    this.#cancelPhase();
  }
}
