// The leases this replica holds, so that it can keep them: one call per limit, all at once, three times as often as they end.
import type { Connection } from './connection.ts';
import { leaseMs } from './limit-calls.ts';

/** Arguments of one call; a script can't take any number. */
const idsPerCall = 1_000;

interface Held {
  readonly tenant: string;
  readonly ids: Set<string>;
}

export class Leases {
  readonly #held = new Map<string, Held>();

  add(tenant: string, keys: readonly string[], id: string): void {
    for (const key of keys) {
      const held = this.#held.get(key);
      if (held === undefined) this.#held.set(key, { tenant, ids: new Set([id]) });
      else held.ids.add(id);
    }
  }

  delete(keys: readonly string[], id: string): void {
    for (const key of keys) {
      const held = this.#held.get(key);
      held?.ids.delete(id);
      if (held?.ids.size === 0) this.#held.delete(key);
    }
  }

  /** Of one tenant, or of all. What fails is renewed the next time; a lease outlives two failures. */
  renew(connection: Connection, failed: (thrown: unknown) => void, tenant?: string): void {
    for (const [key, held] of this.#held) {
      if (tenant !== undefined && held.tenant !== tenant) continue;
      const ids = [...held.ids];
      for (let at = 0; at < ids.length; at += idsPerCall) {
        const args = [leaseMs, ...ids.slice(at, at + idsPerCall)];
        connection.run('renew', { keys: [key], args }).catch(failed);
      }
    }
  }

  /** Limits under which something runs. */
  get size(): number {
    return this.#held.size;
  }
}
