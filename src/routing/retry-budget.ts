// How much of a model's load may be on a second try at the same time: a part of what runs, in requests and in prompt
// tokens, so that a fleet that fails is not sent everything twice, and no box after box is busy with one huge prompt.

/** A handful of requests may always be tried again, */
const floor = 3;
/** with prompts of so many tokens together; a larger one only by itself. */
const floorTokens = 32_768;

interface Load {
  running: number;
  retrying: number;
  tokens: number;
  retryingTokens: number;
}

/** One exchange's part in it. */
export interface RetryShare {
  /** Whether it may be tried again; what is allowed counts until it leaves. */
  take(): boolean;
  /** Idempotent. */
  leave(): void;
}

export class RetryBudget {
  #ratio: number;
  readonly #loads = new Map<string, Load>();

  /** `ratio`: of what is in flight for the first time, 0 to 1, so that no more than that is sent on top; 1: no bound. */
  constructor(ratio: number) {
    this.#ratio = ratio;
  }

  configure(ratio: number): void {
    this.#ratio = ratio;
  }

  /** `tokens`: of its prompt. */
  enter(model: string, tokens: number): RetryShare {
    const load = this.#loads.get(model) ?? { running: 0, retrying: 0, tokens: 0, retryingTokens: 0 };
    this.#loads.set(model, load);
    load.running++;
    load.tokens += tokens;
    let isRetrying = false;
    let left = false;
    return {
      take: () => {
        if (isRetrying) return true;
        const retryingTokens = load.retryingTokens + tokens;
        const most = this.#part(load.running - load.retrying);
        const mostTokens = this.#part(load.tokens - load.retryingTokens);
        if (load.retrying >= Math.max(floor, most)) return false;
        if (load.retrying > 0 && retryingTokens > Math.max(floorTokens, mostTokens)) return false;
        load.retrying++;
        load.retryingTokens = retryingTokens;
        isRetrying = true;
        return true;
      },
      leave: () => {
        if (left) return;
        left = true;
        load.running--;
        load.tokens -= tokens;
        if (isRetrying) {
          load.retrying--;
          load.retryingTokens -= tokens;
        }
        if (load.running === 0) this.#loads.delete(model);
      },
    };
  }

  #part(ofFirstTries: number): number {
    return this.#ratio >= 1 ? Infinity : ofFirstTries * this.#ratio;
  }

  /** Models with something in flight. */
  get size(): number {
    return this.#loads.size;
  }
}
