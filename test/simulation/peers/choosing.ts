// What most rules have in common: the smallest by some number, ties at random; and a ring of hashes.

/** The one with the smallest number; of several, one at random. */
export function smallest(able: readonly number[], of: (backend: number) => number, random: () => number): number {
  let best = able[0] ?? 0;
  let least = Infinity;
  let ties = 0;
  for (const backend of able) {
    const number = of(backend);
    if (number > least) continue;
    if (number < least) {
      least = number;
      best = backend;
      ties = 1;
    } else if (random() * ++ties < 1) best = backend;
  }
  return best;
}

/** FNV-1a, 32 bits, mixed at the end. */
export function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let place = 0; place < text.length; place++) hash = Math.imul(hash ^ text.charCodeAt(place), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** Backends on a ring, with so many points each. */
export class Ring {
  readonly #points: readonly { readonly at: number; readonly backend: number }[];

  constructor(backends: number, pointsEach: number) {
    this.#points = Array.from({ length: backends * pointsEach }, (_, index) => {
      const backend = Math.floor(index / pointsEach);
      return { at: hashOf(`${backend}:${index % pointsEach}`), backend };
    }).toSorted((a, b) => a.at - b.at);
  }

  /** From the key on, once around; the same backend comes again and again. */
  *from(key: string): Generator<number> {
    const at = hashOf(key);
    let [low, high] = [0, this.#points.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#points[middle]?.at ?? 0) < at) low = middle + 1;
      else high = middle;
    }
    for (let step = 0; step < this.#points.length; step++) {
      const point = this.#points[(low + step) % this.#points.length];
      if (point !== undefined) yield point.backend;
    }
  }
}
