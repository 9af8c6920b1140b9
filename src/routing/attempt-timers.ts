// The time limits of one attempt: the exchange's deadline, and one phase after the other. Timers of our own, because
// undici's are coarse and do not know what they wait for. What they see is also what tells whether the backend is silent.
import type { Clock } from '../clock.ts';
import type { Silence } from '../fleet/silence.ts';

export type TimeLimit = 'connect_timeout' | 'first_byte_timeout' | 'gap_timeout' | 'total_timeout';

export class AttemptTimers {
  readonly #clock: Clock;
  readonly #silence: Silence;
  readonly #expired: (limit: TimeLimit, ms: number) => void;
  #cancelDeadline: () => void = () => {};
  #cancelPhase: () => void = () => {};
  #progressMs = 0;
  #held = false;
  /** Whether the request was sent, and its answer has not ended. */
  #asking = false;
  #askedMs = 0;
  #begun = false;

  /** `expired` is told the limit as it was set, in milliseconds. `silence`: of the backend. */
  constructor(clock: Clock, silence: Silence, expired: (limit: TimeLimit, ms: number) => void) {
    this.#clock = clock;
    this.#silence = silence;
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
    if (limit === 'connect_timeout' || this.#asking) return;
    this.#asking = true;
    this.#askedMs = this.#clock.now();
    this.#silence.asked(ms);
  }

  /** The answer has begun, and the last phase: something has to come every `gapMs`. One timer that looks back, instead of one per event. */
  watchGaps(gapMs: number): void {
    this.#cancelPhase();
    this.progressed();
    if (!this.#begun) this.#silence.began(this.#progressMs - this.#askedMs);
    this.#begun = true;
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
    this.#silence.heard(this.#progressMs);
  }

  /** While the caller is slow, the backend is not to blame for silence. */
  hold(): void {
    this.#held = true;
    if (this.#asking) this.#silence.ended();
  }

  goOn(): void {
    this.#held = false;
    this.#progressMs = this.#clock.now();
    if (this.#asking) this.#silence.goOn();
  }

  cancel(): void {
    if (this.#asking && !this.#held) this.#silence.ended();
    this.#asking = false;
    this.#cancelDeadline();
    this.#cancelPhase();
  }
}
