// Whether the router itself has room for another request: how much of each of its limits is used up, with hysteresis, so
// that it neither flutters nor needs anybody to let it out again. What is used is read elsewhere.

/** What a router can run out of; the names of its fields in `server.overload`. */
export const resources = ['event_loop_delay', 'heap', 'open_files', 'buffered'] as const;
export type Resource = (typeof resources)[number];

/** How much of a limit is used: at 1 it is reached. Left out: not known here. */
export type Loads = Readonly<Partial<Record<Resource, number>>>;

export interface OverloadChange {
  readonly resource: Resource;
  readonly isOver: boolean;
  readonly load: number;
}

/** It ends where less than this was used, */
const calmBelow = 0.8;
/** for so long. */
const calmForMs = 1_000;

export class Overload {
  readonly #changed: (change: OverloadChange) => void;
  /** Of what there is too little: since when there is enough again. */
  readonly #over = new Map<Resource, number | undefined>();

  constructor(changed: (change: OverloadChange) => void) {
    this.#changed = changed;
  }

  /** What there is too little of; undefined: there is room. */
  get shortOf(): Resource | undefined {
    for (const resource of this.#over.keys()) return resource;
    return undefined;
  }

  isOver(resource: Resource): boolean {
    return this.#over.has(resource);
  }

  update(loads: Loads, nowMs: number): void {
    for (const resource of resources) this.#look(resource, loads[resource] ?? 0, nowMs);
  }

  #look(resource: Resource, load: number, nowMs: number): void {
    if (!this.#over.has(resource)) {
      if (load < 1) return;
      this.#over.set(resource, undefined);
      this.#changed({ resource, isOver: true, load });
      return;
    }
    if (load >= calmBelow) {
      this.#over.set(resource, undefined);
      return;
    }
    const calmSinceMs = this.#over.get(resource) ?? nowMs;
    this.#over.set(resource, calmSinceMs);
    if (nowMs - calmSinceMs < calmForMs) return;
    this.#over.delete(resource);
    this.#changed({ resource, isOver: false, load });
  }
}
