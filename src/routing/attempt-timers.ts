// The time limits of one attempt: the exchange's deadline, and one phase after the other. Timers of our own, because
// undici's are coarse and do not know what they wait for. What they see is also what tells whether the backend is silent.
import type { Clock } from '../clock.ts';
import type { Silence } from '../fleet/silence.ts';

export type TimeLimit = 'connect_timeout' | 'first_byte_timeout' | 'gap_timeout' | 'total_timeout';

/** `limitMs`: as it was set; `atMs`: when it is over. */
interface Due {
  readonly limit: TimeLimit;
  readonly limitMs: number;
  atMs: number;
}

export class AttemptTimers {
  readonly #clock: Clock;
  readonly #silence: Silence;
  readonly #expired: (limit: TimeLimit, ms: number) => void;
  #deadline: Due | undefined = undefined;
  #phase: Due | undefined = undefined;
  /** One timer for all of them, which looks at what is due when it fires: most attempts end before it ever does. */
  #cancelTimer: () => void = () => {};
  #firesAtMs = Infinity;
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
    const nowMs = this.#clock.now();
    this.#deadline = { limit: 'total_timeout', limitMs: totalMs, atMs: nowMs + leftMs };
    this.#arm(nowMs);
  }

  /** Ends the phase before. */
  phase(limit: 'connect_timeout' | 'first_byte_timeout', ms: number): void {
    const nowMs = this.#clock.now();
    this.#phase = { limit, limitMs: ms, atMs: nowMs + ms };
    this.#arm(nowMs);
    if (limit === 'connect_timeout' || this.#asking) return;
    this.#asking = true;
    this.#askedMs = nowMs;
    this.#silence.asked(ms);
  }

  /** The answer has begun, and the last phase: something has to come every `gapMs`. */
  watchGaps(gapMs: number): void {
    this.progressed();
    if (!this.#begun) this.#silence.began(this.#progressMs - this.#askedMs);
    this.#begun = true;
    this.#phase = { limit: 'gap_timeout', limitMs: gapMs, atMs: this.#progressMs + gapMs };
    this.#arm(this.#progressMs);
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
    this.#cancelTimer();
    [this.#deadline, this.#phase] = [undefined, undefined];
  }

  /** A timer that fires too early looks and goes on; only one that would fire too late has to be made anew. */
  #arm(nowMs: number): void {
    const atMs = Math.min(this.#deadline?.atMs ?? Infinity, this.#phase?.atMs ?? Infinity);
    if (this.#firesAtMs <= atMs) return;
    this.#cancelTimer();
    this.#firesAtMs = atMs;
    this.#cancelTimer = this.#clock.after(atMs - nowMs, () => this.#look());
  }

  #look(): void {
    this.#firesAtMs = Infinity;
    const nowMs = this.#clock.now();
    const phase = this.#phase;
    // Events do not move the timer: it is here that they count.
    if (phase?.limit === 'gap_timeout') phase.atMs = (this.#held ? nowMs : this.#progressMs) + phase.limitMs;
    const due = [this.#deadline, phase].find((one) => one !== undefined && one.atMs <= nowMs);
    if (due === undefined) this.#arm(nowMs);
    else this.#expired(due.limit, due.limitMs);
  }
}
