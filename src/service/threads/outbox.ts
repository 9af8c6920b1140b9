// What a worker has to tell of its requests: gathered for a moment, because most of it says only that all is well; what says
// otherwise is told at once, with all that was before it.
import type { CircuitNews } from '../../workers/remote-circuit.ts';
import type { LimitNews } from '../../workers/shared-backends.ts';
import type { RequestNotes } from '../report/request-notes.ts';
import type { Batch } from './messages.ts';

export interface OutboxParts {
  /** What was noted since it was last asked; undefined: nothing. */
  readonly notes: () => RequestNotes | undefined;
  readonly send: (batch: Batch) => void;
}

export class Outbox {
  readonly #parts: OutboxParts;
  #circuits: CircuitNews[] = [];
  #limits: LimitNews[] = [];

  constructor(parts: OutboxParts) {
    this.#parts = parts;
  }

  circuit(news: CircuitNews): void {
    this.#circuits.push(news);
    // Others wait for the end of a trial.
    if (news.what === 'failure' || news.what === 'blamed' || news.ticket.trial) this.flush();
  }

  limit(news: LimitNews): void {
    this.#limits.push(news);
    if ('refusedAtMs' in news) this.flush();
  }

  /** To be called every few dozen milliseconds. Whether there was anything. */
  flush(): boolean {
    const notes = this.#parts.notes();
    if (notes === undefined && this.#circuits.length + this.#limits.length === 0) return false;
    const batch = { circuits: this.#circuits, limits: this.#limits, notes };
    this.#circuits = [];
    this.#limits = [];
    this.#parts.send(batch);
    return true;
  }
}
