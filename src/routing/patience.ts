// Tells a caller that waits for its stream that it still does: comment lines, which SDKs skip and which keep connections
// open. The first one sends the head, so from there on everything else is told inside the stream.
import type { Clock } from '../clock.ts';
import type { Reply } from './ports.ts';

export class Patience {
  readonly #clock: Clock;
  readonly #reply: Reply;
  #cancel: () => void = () => {};
  #spoke = false;

  constructor(clock: Clock, reply: Reply) {
    this.#clock = clock;
    this.#reply = reply;
  }

  /** Whether the head has left because of it. */
  get spoke(): boolean {
    return this.#spoke;
  }

  /** Says `text()` after `firstMs` and then every `everyMs`, in place of what was said before. */
  tell(text: () => string, { firstMs, everyMs }: { readonly firstMs: number; readonly everyMs: number }): void {
    this.#cancel();
    const speak = () => {
      this.#spoke = true;
      this.#reply.open();
      this.#reply.comment(text());
      this.#cancel = this.#clock.after(everyMs, speak);
    };
    if (firstMs > 0) this.#cancel = this.#clock.after(firstMs, speak);
    else speak();
  }

  /** Nothing more is said. Idempotent. */
  end(): void {
    this.#cancel();
  }
}

export function inSeconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)}s`;
}
