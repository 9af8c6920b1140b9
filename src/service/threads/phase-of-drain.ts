// How far workers are with stopping, as they all do it at the same times; see http/drain.
import type { Clock } from '../../clock.ts';
import type { Operations } from '../../http/operations.ts';
import type { DrainTimes } from '../serving.ts';

/** As in http/drain. */
const refuseBeforeMs = 5_000;

export class PhaseOfDrain {
  readonly #clock: Clock;
  #current: ReturnType<Operations['phase']> = 'ready';
  #cancel = () => {};

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get current(): ReturnType<Operations['phase']> {
    return this.#current;
  }

  begin({ delayMs, timeoutMs }: DrainTimes): void {
    this.#current = 'stopping';
    this.#cancel = this.#clock.after(Math.max(delayMs, timeoutMs - refuseBeforeMs), () => this.end());
  }

  end(): void {
    this.#cancel();
    this.#current = 'closing';
  }
}
