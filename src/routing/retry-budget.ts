// How many requests of a model may be on a second try at the same time: a part of what runs, so that a fleet that fails is
// not sent everything twice.

/** A handful of requests may always be tried again. */
const floor = 3;

interface Load {
  running: number;
  retrying: number;
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

  /** `ratio`: of the requests in flight, 0 to 1. */
  constructor(ratio: number) {
    this.#ratio = ratio;
  }

  configure(ratio: number): void {
    this.#ratio = ratio;
  }

  enter(model: string): RetryShare {
    const load = this.#loads.get(model) ?? { running: 0, retrying: 0 };
    this.#loads.set(model, load);
    load.running++;
    let isRetrying = false;
    let left = false;
    return {
      take: () => {
        if (isRetrying) return true;
        if (load.retrying >= Math.max(floor, load.running * this.#ratio)) return false;
        load.retrying++;
        isRetrying = true;
        return true;
      },
      leave: () => {
        if (left) return;
        left = true;
        load.running--;
        if (isRetrying) load.retrying--;
        if (load.running === 0) this.#loads.delete(model);
      },
    };
  }

  /** Models with something in flight. */
  get size(): number {
    return this.#loads.size;
  }
}
