// How many bytes of prompt make a token, learnt per model from the usage that engines report.

/** Estimates only: used to avoid members that are surely too small, never to refuse. */
export class TokenRatio {
  #bytesPerToken = 4;

  /** Tokens in `bytes` bytes of text. */
  estimate(bytes: number): number {
    return Math.ceil(bytes / this.#bytesPerToken);
  }

  learn(bytes: number, tokens: number): void {
    // The chat template adds tokens of its own, which drown the ratio of a short prompt.
    if (bytes < 200 || tokens < 1) return;
    const seen = Math.min(8, Math.max(1, bytes / tokens));
    this.#bytesPerToken += (seen - this.#bytesPerToken) * weightOfOne;
  }
}

const weightOfOne = 0.1;
