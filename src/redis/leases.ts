// The leases this replica holds, so that it can keep them: one call per limit, all at once, three times as often as they end.
import type { Connection } from './connection.ts';
import { leaseMs } from './counters.ts';

/** Arguments of one call; a script can't take any number. */
const idsPerCall = 1_000;

export class Leases {
  readonly #held = new Map<string, Set<string>>();

  add(keys: readonly string[], id: string): void {
    for (const key of keys) {
      const ids = this.#held.get(key);
      if (ids === undefined) this.#held.set(key, new Set([id]));
      else ids.add(id);
    }
  }

  delete(keys: readonly string[], id: string): void {
    for (const key of keys) {
      const ids = this.#held.get(key);
      ids?.delete(id);
      if (ids?.size === 0) this.#held.delete(key);
    }
  }

  /** What fails is renewed the next time; a lease outlives two failures. */
  async renew(connection: Connection): Promise<void> {
    const calls: Promise<unknown>[] = [];
    for (const [key, held] of this.#held) {
      const ids = [...held];
      for (let at = 0; at < ids.length; at += idsPerCall)
        calls.push(connection.run('renew', [key], [leaseMs, ...ids.slice(at, at + idsPerCall)]));
    }
    await Promise.allSettled(calls);
  }

  get size(): number {
    return this.#held.size;
  }
}
