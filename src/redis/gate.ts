// Whether Redis is asked at all. Requests must not each find out for themselves that it does not answer; and one that
// answers now and then must not be believed at once.
import type { Clock } from '../clock.ts';

const missesAllowed = 5;
const firstPauseMs = 1_000;
const longestPauseMs = 10_000;
/** Whoever has been back for so long is trusted as before. */
const forgivenAfterMs = 10_000;

export interface GateParts {
  readonly clock: Clock;
  /** Once per change. `reason`: of the failure that closed it. */
  readonly changed: (open: boolean, reason: string) => void;
}

/** Closed until the first beat. */
export class Gate {
  readonly #clock: Clock;
  readonly #changed: GateParts['changed'];
  #open = false;
  #misses = 0;
  #pauseMs = firstPauseMs;
  #openedAtMs = -Infinity;
  #closedUntilMs = -Infinity;

  constructor({ clock, changed }: GateParts) {
    this.#clock = clock;
    this.#changed = changed;
  }

  get isOpen(): boolean {
    return this.#open;
  }

  /** An answer came in time. */
  hit(): void {
    this.#misses = 0;
  }

  /** No answer in time, or one that was an error. */
  miss(reason: string): void {
    this.#misses++;
    if (!this.#open || this.#misses < missesAllowed) return;
    const nowMs = this.#clock.now();
    const isRelapse = nowMs - this.#openedAtMs < forgivenAfterMs;
    this.#pauseMs = isRelapse ? Math.min(this.#pauseMs * 2, longestPauseMs) : firstPauseMs;
    this.#closedUntilMs = nowMs + this.#pauseMs;
    this.#close(reason);
  }

  /** The connection is gone: nothing to doubt, and nothing to distrust once it is back. */
  lost(): void {
    if (this.#open) this.#close('connection');
  }

  /** Whether a good beat may open it. */
  get mayOpen(): boolean {
    return !this.#open && this.#clock.now() >= this.#closedUntilMs;
  }

  open(): void {
    this.#open = true;
    this.#misses = 0;
    this.#openedAtMs = this.#clock.now();
    this.#changed(true, '');
  }

  #close(reason: string): void {
    this.#open = false;
    this.#changed(false, reason);
  }
}
