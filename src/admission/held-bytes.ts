// How many bytes of requests are held, in all and for each tenant, and whether there is room for more. Exact: what was
// taken is given back once, by its holding.

export interface Holding {
  /** More has come than was announced. False: there is no room for it, and it is not counted. */
  grow(bytes: number): boolean;
  /** Idempotent. */
  release(): void;
}

/**
 * A tenant may hold so many times what is still free (dynamic thresholds, Choudhury and Hahne 1998): alone four fifths of
 * everything, and always something is left for those that come after.
 */
const timesFree = 4;

export class HeldBytes {
  readonly #limit: number;
  readonly #byTenant = new Map<string, number>();
  #held = 0;
  /** Held where it is not taken from here: what waits for callers that read slowly, as last looked up. */
  queued = 0;

  /** Infinity: no limit. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Taken from here. */
  get held(): number {
    return this.#held;
  }

  get total(): number {
    return this.#held + this.queued;
  }

  /** Tenants that hold anything. */
  get tenants(): number {
    return this.#byTenant.size;
  }

  /** Undefined: there is no room. */
  take(tenant: string, bytes: number): Holding | undefined {
    if (!this.#fits(tenant, bytes)) return undefined;
    let held = bytes;
    let isReleased = false;
    this.#add(tenant, bytes);
    return {
      grow: (more) => {
        if (isReleased || !this.#fits(tenant, more)) return false;
        held += more;
        this.#add(tenant, more);
        return true;
      },
      release: () => {
        if (isReleased) return;
        isReleased = true;
        this.#add(tenant, -held);
      },
    };
  }

  #fits(tenant: string, bytes: number): boolean {
    const free = this.#limit - this.total - bytes;
    if (free < 0) return false;
    const own = this.#byTenant.get(tenant) ?? 0;
    return own === 0 || own + bytes <= timesFree * free;
  }

  #add(tenant: string, bytes: number): void {
    this.#held += bytes;
    const own = (this.#byTenant.get(tenant) ?? 0) + bytes;
    if (own === 0) this.#byTenant.delete(tenant);
    else this.#byTenant.set(tenant, own);
  }
}
