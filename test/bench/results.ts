// Figures of several rounds, and what becomes of them: medians with their spread.
import type { Figures } from './bench.ts';

export interface Spread {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

export class Results {
  readonly #rows = new Map<string, Map<string, Figures[]>>();

  add(bench: string, subject: string, figures: Figures): void {
    const rows = this.#rows.get(bench) ?? new Map<string, Figures[]>();
    rows.set(subject, [...(rows.get(subject) ?? []), figures]);
    this.#rows.set(bench, rows);
  }

  benches(): readonly string[] {
    return [...this.#rows.keys()];
  }

  subjects(bench: string): readonly string[] {
    return [...(this.#rows.get(bench)?.keys() ?? [])];
  }

  rounds(bench: string, subject: string): readonly Figures[] {
    return this.#rows.get(bench)?.get(subject) ?? [];
  }

  spread(bench: string, subject: string, key: string): Spread | undefined {
    return spread(this.rounds(bench, subject).flatMap((figures) => figures[key] ?? []));
  }

  median(bench: string, subject: string, key: string): number | undefined {
    return this.spread(bench, subject, key)?.median;
  }

  /** Of two medians; undefined unless both are there. */
  ratio(bench: string, key: string, [subject, base]: readonly [subject: string, base: string]): number | undefined {
    return divided(this.median(bench, subject, key), this.median(bench, base, key));
  }
}

/** Undefined for no numbers. */
export function spread(numbers: readonly number[]): Spread | undefined {
  const sorted = numbers.toSorted((a, b) => a - b);
  const [least, most] = [sorted[0], sorted.at(-1)];
  if (least === undefined || most === undefined) return undefined;
  const middle = (sorted.length - 1) / 2;
  const median = ((sorted[Math.floor(middle)] ?? 0) + (sorted[Math.ceil(middle)] ?? 0)) / 2;
  return { median, least, most };
}

export function divided(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined || b === 0 ? undefined : a / b;
}
