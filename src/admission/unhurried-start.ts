// How long prompts of each length take until the first token on a box where nobody is in line. It can't be asked for, so it
// is taken from below: a quick start counts at once, slower ones raise it only with time, so that it forgets slowly and yet
// follows a box that has become slower.

/** Down by this part of the difference. */
const down = 0.1;
/** Up to twice in this time, and by no more than this at once. */
const doublingMs = 600_000;
const largestRise = 1.05;
/** Beyond, prompts are all alike. */
const longest = 2 ** 24;

export interface Start {
  readonly promptTokens: number;
  readonly startMs: number;
  readonly atMs: number;
  /** Nobody else was there: whatever it took, it took by itself. */
  readonly alone: boolean;
}

interface Usual {
  readonly ms: number;
  readonly atMs: number;
}

export class UnhurriedStart {
  /** By length: four steps to its double. */
  readonly #usual: (Usual | undefined)[] = [];

  /** Takes one observation and returns what is usual for such a prompt, in milliseconds. */
  learn({ promptTokens, startMs, atMs, alone }: Start): number {
    const size = Math.floor(4 * Math.log2(Math.min(longest, Math.max(1, promptTokens))));
    const before = this.#usual[size] ?? { ms: Math.min(startMs, this.#boundOf(size)), atMs };
    const ms = alone || startMs < before.ms ? before.ms + down * (startMs - before.ms) : risen(before, startMs, atMs);
    this.#usual[size] = { ms, atMs };
    return ms;
  }

  /** Everything usually takes so many times as long as was thought. */
  slower(times: number): void {
    for (const [size, usual] of this.#usual.entries()) {
      if (usual !== undefined) this.#usual[size] = { ...usual, ms: usual.ms * times };
    }
  }

  /**
   * A prompt of a length that is seen for the first time may have been in line. It takes no longer than a longer one, and than
   * a shorter one in proportion.
   */
  #boundOf(size: number): number {
    let boundMs = Infinity;
    for (const [other, usual] of this.#usual.entries()) {
      if (usual !== undefined) boundMs = Math.min(boundMs, usual.ms * 2 ** (Math.max(0, size - other) / 4));
    }
    return boundMs;
  }
}

function risen(before: Usual, startMs: number, atMs: number): number {
  const factor = Math.min(largestRise, 2 ** (Math.max(0, atMs - before.atMs) / doublingMs));
  return Math.min(startMs, before.ms * factor);
}
