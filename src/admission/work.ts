// How much work an answer was: its tokens, and those of its prompt for what they cost beside them, which is a two-hundredth on
// a GPU and a fifth on a CPU and so is learnt: from how the time grows with the one and with the other over the answers of late.
import type { Served } from '../fleet/in-flight-limit.ts';

const ratios = { least: 0.002, first: 0.02, most: 1 } as const;

export class Work {
  readonly #perOutput = new Slope();
  readonly #perPrompt = new Slope();

  /** In output tokens. */
  of({ totalMs, outputTokens, promptTokens }: Served): number {
    this.#perOutput.add(outputTokens, totalMs);
    this.#perPrompt.add(promptTokens, totalMs);
    return 1 + outputTokens + promptTokens * this.#ratio();
  }

  #ratio(): number {
    const [perOutput, perPrompt] = [this.#perOutput.value, this.#perPrompt.value];
    if (perOutput === undefined || perPrompt === undefined) return ratios.first;
    // Answers without tokens, such as embeddings, are all prompt.
    if (perOutput <= 0) return ratios.most;
    return Math.min(ratios.most, Math.max(ratios.least, perPrompt / perOutput));
  }
}

/** Least squares of one variable, where about the last two hundred count. */
class Slope {
  #weight = 0;
  #meanX = 0;
  #meanY = 0;
  #xx = 0;
  #xy = 0;

  add(x: number, y: number): void {
    const memory = 0.995;
    this.#weight = this.#weight * memory + 1;
    const offX = x - this.#meanX;
    this.#meanX += offX / this.#weight;
    this.#meanY += (y - this.#meanY) / this.#weight;
    this.#xx = this.#xx * memory + offX * (x - this.#meanX);
    this.#xy = this.#xy * memory + offX * (y - this.#meanY);
  }

  /** Undefined until enough was seen. */
  get value(): number | undefined {
    if (this.#weight < 20) return undefined;
    return this.#xx === 0 ? 0 : this.#xy / this.#xx;
  }
}
