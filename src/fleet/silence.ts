// Hears whether a backend still says anything. Some engines hang while their /health stays green: then requests are in flight
// and nothing at all comes, neither the head of a plain reply nor an event of a stream. The head of a stream is no sign of
// life, nor are comments: servers send both before, and without, the engine behind them.
import type { Clock } from '../clock.ts';

export interface SilenceParts {
  readonly clock: Clock;
  /** 0: never stalled. */
  readonly stallAfterMs: number;
  changed(stalled: boolean): void;
  /** What other threads know of it; absent: there are none. */
  readonly others?: OtherEars;
}

/** Requests to one backend that other threads have sent. */
export interface OtherEars {
  /** Whether one of them has found it silent for too long. */
  isStalled(): boolean;
  /** Whether anything is in flight there beside one request. */
  isBusy(): boolean;
  /** When something has last come to any of them; clock milliseconds. */
  heardAtMs(): number;
  heard(nowMs: number): void;
}

export class Silence {
  readonly #parts: SilenceParts;
  /** Requests that are owed something: sent, not ended, and not held up by a slow caller. */
  #listening = 0;
  /** Since when nothing has come although something was owed. */
  #sinceMs = 0;
  /**
   * Set while one request is all that was asked since the backend was idle, and nothing of it has come: a prompt of 100,000
   * tokens, alone on a box, is silent for a minute and nothing is wrong. So its silence counts only beyond half of its own
   * time limit. A second request ends that, and its own wait starts the count: together they were silent for too long.
   */
  #loneMs: number | undefined = undefined;
  /**
   * The longest that answers of late took to begin, fading. Plain answers begin only when they are whole, and some boxes read
   * every prompt for half a minute: silence is a stall only beyond twice of what is usual there.
   */
  #usualMs = 0;
  #stalled = false;
  #stallAfterMs: number;
  #cancel: () => void = () => {};

  constructor(parts: SilenceParts) {
    this.#parts = parts;
    this.#stallAfterMs = parts.stallAfterMs;
  }

  configure(stallAfterMs: number): void {
    if (stallAfterMs === this.#stallAfterMs) return;
    this.#stallAfterMs = stallAfterMs;
    // Judged anew: who is silent for too long also by this measure is stalled again at once.
    this.#become(false);
    if (this.#listening > 0) this.#watch();
  }

  get stalled(): boolean {
    return this.#stalled || this.#parts.others?.isStalled() === true;
  }

  /** A request was sent whose answer has to begin within `firstByteMs`. Followed by one `ended`. */
  asked(firstByteMs: number): void {
    const isFirst = this.#listening++ === 0;
    if (!isFirst && this.#loneMs === undefined) return;
    this.#sinceMs = this.#parts.clock.now();
    this.#loneMs = isFirst && this.#parts.others?.isBusy() !== true ? firstByteMs / 2 : undefined;
    this.#watch();
  }

  /** Called for every event that arrives. */
  heard(nowMs: number): void {
    this.#sinceMs = nowMs;
    this.#parts.others?.heard(nowMs);
    if (this.#loneMs === undefined && !this.#stalled) return;
    this.#loneMs = undefined;
    this.#become(false);
    if (this.#listening > 0) this.#watch();
  }

  /** An answer has begun, so long after it was asked for: the head of a plain one, the first content of a stream. */
  began(afterMs: number): void {
    this.#usualMs = Math.max(afterMs, this.#usualMs * 0.9);
  }

  /** Nothing is owed to a request any more, for good or because its caller reads too slowly. */
  ended(): void {
    this.#listening--;
    if (this.#listening > 0) return;
    this.#cancel();
    this.#loneMs = undefined;
    this.#become(false);
  }

  /** The caller of a request that was held up reads again. */
  goOn(): void {
    if (this.#listening++ > 0) return;
    this.#sinceMs = this.#parts.clock.now();
    this.#watch();
  }

  /** One timer that looks back, instead of one per event. */
  #watch(): void {
    const { clock, others } = this.#parts;
    this.#cancel();
    if (this.#stallAfterMs === 0) return;
    if (others !== undefined) this.#sinceMs = Math.max(this.#sinceMs, others.heardAtMs());
    const leftMs = this.#sinceMs + Math.max(this.#stallAfterMs, 2 * this.#usualMs, this.#loneMs ?? 0) - clock.now();
    if (leftMs > 0) this.#cancel = clock.after(leftMs, () => this.#watch());
    else this.#become(true);
  }

  #become(stalled: boolean): void {
    if (this.#stalled === stalled) return;
    this.#stalled = stalled;
    this.#parts.changed(stalled);
  }
}
