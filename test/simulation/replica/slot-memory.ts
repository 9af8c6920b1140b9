// Slots, as llama.cpp and Ollama keep them: each has a fixed context and remembers what it last held. A request gets the free
// slot that shares the longest prefix with it, or, when that is less than a tenth of the prompt, the least recently used one
// (`--slot-prompt-similarity 0.1` of llama-server).
import type { Hold, Memory, Wanted } from './memory.ts';

interface Slot {
  chain: readonly number[];
  /** Blocks of `chain` that are computed. */
  known: number;
  taken: boolean;
  usedAt: number;
}

const leastSimilarity = 0.1;

export class SlotMemory implements Memory {
  readonly #blockTokens: number;
  readonly #contextTokens: number;
  readonly #slots: Slot[];
  #turn = 0;

  constructor(parts: { readonly kvTokens: number; readonly slots: number; readonly blockTokens: number }) {
    this.#blockTokens = parts.blockTokens;
    this.#contextTokens = Math.floor(parts.kvTokens / parts.slots);
    this.#slots = Array.from({ length: parts.slots }, emptySlot);
  }

  get use(): number {
    return this.#slots.filter(({ taken }) => taken).length / this.#slots.length;
  }

  fits({ input, output }: Wanted): boolean {
    return input + output <= this.#contextTokens;
  }

  cachedTokens(wanted: Wanted): number {
    const slot = this.#choose(wanted);
    return slot === undefined ? 0 : this.#shared(slot, wanted) * this.#blockTokens;
  }

  take(wanted: Wanted): Hold | undefined {
    const slot = this.#choose(wanted);
    if (slot === undefined) return undefined;
    const cachedBlocks = this.#shared(slot, wanted);
    slot.taken = true;
    slot.chain = wanted.chain;
    slot.known = cachedBlocks;
    return {
      cachedTokens: cachedBlocks * this.#blockTokens,
      computed: (tokens) => {
        slot.known = Math.min(wanted.chain.length, Math.floor(tokens / this.#blockTokens));
      },
      grow: (tokens) => tokens <= this.#contextTokens,
      release: () => {
        slot.taken = false;
        slot.usedAt = ++this.#turn;
      },
    };
  }

  clear(): void {
    for (const slot of this.#slots) Object.assign(slot, emptySlot());
  }

  #choose(wanted: Wanted): Slot | undefined {
    const free = this.#slots.filter(({ taken }) => !taken).toSorted((a, b) => a.usedAt - b.usedAt);
    const best = free.toSorted((a, b) => this.#shared(b, wanted) - this.#shared(a, wanted))[0];
    if (best === undefined) return undefined;
    return this.#shared(best, wanted) * this.#blockTokens > leastSimilarity * wanted.input ? best : free[0];
  }

  #shared({ chain, known }: Slot, wanted: Wanted): number {
    const most = Math.min(known, wanted.chain.length, Math.floor((wanted.input - 1) / this.#blockTokens));
    let same = 0;
    while (same < most && chain[same] === wanted.chain[same]) same++;
    return same;
  }
}

function emptySlot(): Slot {
  return { chain: [], known: 0, taken: false, usedAt: 0 };
}
