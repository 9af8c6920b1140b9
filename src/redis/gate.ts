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
  #pauseMs = 0;
  #openedAtMs = -Infinity;
  #closedUntilMs = -Infinity;
  /** Whether it was closed before: only then has it come back. */
  #wasClosed = false;

  constructor({ clock, changed }: GateParts) {
    this.#clock = clock;
    this.#changed = changed;
  }

  get isOpen(): boolean {
    return this.#open;
  }

  get openForMs(): number {
    return this.#open ? this.#clock.now() - this.#openedAtMs : 0;
  }

  /** An answer came in time. */
  hit(): void {
    this.#misses = 0;
  }

  /** No answer in time, or one that says that there will be none. */
  miss(reason: string): void {
    this.#misses++;
    if (this.#open && this.#misses >= missesAllowed) this.#close(reason, firstPauseMs);
  }

  /** The connection is gone: nothing to doubt, and unless that happens often nothing to distrust once it is back. */
  lost(): void {
    if (this.#open) this.#close('connection', 0);
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

  #close(reason: string, pauseMs: number): void {
    const nowMs = this.#clock.now();
    const isRelapse = this.#wasClosed && nowMs - this.#openedAtMs < forgivenAfterMs;
    const longer = Math.max(firstPauseMs, Math.min(this.#pauseMs * 2, longestPauseMs));
    this.#pauseMs = isRelapse ? longer : pauseMs;
    this.#closedUntilMs = nowMs + this.#pauseMs;
    this.#wasClosed = true;
    this.#open = false;
    this.#changed(false, reason);
  }
}
