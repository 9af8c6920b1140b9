// One direction of one connection through the proxy: what happens at `from` happens at `to`, in order and later.
import type { Socket } from 'node:net';

export class Flow {
  readonly #queue: { readonly at: number; readonly perform: () => void }[] = [];
  #paused = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(from: Socket, to: Socket, delayMs: () => number) {
    const later = (perform: () => void): void => {
      this.#queue.push({ at: performance.now() + delayMs(), perform });
      this.#advance();
    };
    from.on('data', (bytes) => later(() => void to.write(bytes)));
    from.on('end', () => later(() => to.end()));
    // Told by `close`.
    from.on('error', () => {});
    from.on('close', () => later(() => to.destroySoon()));
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#advance();
  }

  /** Never overtakes: only the first in the queue has a timer. */
  #advance(): void {
    clearTimeout(this.#timer);
    while (!this.#paused) {
      const [first] = this.#queue;
      if (first === undefined) return;
      // Timers round down, so the rest of a millisecond does not count.
      const restMs = Math.ceil(first.at - performance.now());
      if (restMs > 0) {
        this.#timer = setTimeout(() => this.#advance(), restMs);
        return;
      }
      this.#queue.shift();
      first.perform();
    }
  }
}
