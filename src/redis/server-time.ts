// What the clock of a Redis shows, learnt from the times in its answers. Needed to say until when a script may still act.

export class ServerTime {
  /** The difference between the two clocks lies between these. */
  #low = -Infinity;
  #high = Infinity;

  /** An answer: when it was asked for, when it came, both on our clock, and what the other clock showed in between. */
  learn({ sentMs, receivedMs, serverMs }: { sentMs: number; receivedMs: number; serverMs: number }): void {
    const [low, high] = [serverMs - receivedMs, serverMs - sentMs];
    const isPossible = low <= this.#high && high >= this.#low;
    // One of the clocks has stepped, or they have drifted apart: what was known no longer holds.
    this.#low = isPossible ? Math.max(low, this.#low) : low;
    this.#high = isPossible ? Math.min(high, this.#high) : high;
  }

  /** The latest that the other clock can show at a moment of ours; undefined before the first answer. */
  latestAt(ownMs: number): number | undefined {
    return this.#high === Infinity ? undefined : ownMs + this.#high;
  }
}
