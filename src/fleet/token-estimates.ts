// What a request for a model will cost in tokens, learnt from the usage that engines report. Estimates only: used to
// avoid members that are surely too small and to reserve allowances, never to refuse.

export class TokenEstimates {
  #bytesPerToken = 4;
  #outputTokens = 256;
  /** Bounded by the caller or not: by tenant, and of them all. */
  readonly #answers = new Map<string, number>();
  #answer = 256;

  /** Tokens in `bytes` bytes of text. */
  inputOf(bytes: number): number {
    return Math.ceil(bytes / this.#bytesPerToken);
  }

  /** Tokens of an answer that nobody has bounded. */
  output(): number {
    return Math.ceil(this.#outputTokens);
  }

  /** Tokens of an answer as this tenant usually gets them, whatever it allows. */
  answerTo(tenant: string): number {
    return this.#answers.get(tenant) ?? this.#answer;
  }

  learnAnswer(tenant: string, tokens: number): void {
    const before = this.answerTo(tenant);
    this.#answer += (tokens - this.#answer) * weightOfOne;
    this.#answers.set(tenant, before + (tokens - before) * weightOfOne);
  }

  learnInput(bytes: number, tokens: number): void {
    // The chat template adds tokens of its own, which drown the ratio of a short prompt.
    if (bytes < 200 || tokens < 1) return;
    const seen = Math.min(8, Math.max(1, bytes / tokens));
    this.#bytesPerToken += (seen - this.#bytesPerToken) * weightOfOne;
  }

  learnOutput(tokens: number): void {
    this.#outputTokens += (tokens - this.#outputTokens) * weightOfOne;
  }
}

const weightOfOne = 0.1;
