// Which models have series of their own: those the fleet has, up to a number. Everything else is `other`, so that no caller
// can make series by inventing names.

export class ModelNames {
  readonly #most: number;
  readonly #known = new Set<string>();

  constructor(most: number) {
    this.#most = most;
  }

  /** The label for a canonical name; undefined: the request named no known one. */
  of(model: string | undefined): string {
    if (model === undefined) return other;
    if (this.#known.has(model)) return model;
    if (this.#known.size >= this.#most) return other;
    this.#known.add(model);
    return model;
  }

  /** Takes the models that the fleet has now; returns those that were known and have gone. */
  keep(models: ReadonlyMap<string, unknown>): ReadonlySet<string> {
    const gone = new Set([...this.#known].filter((model) => !models.has(model)));
    for (const model of gone) this.#known.delete(model);
    return gone;
  }
}

export const other = 'other';
