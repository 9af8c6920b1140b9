// What a worker has to tell of its requests: gathered for a moment, because most of it says only that all is well; what says
// otherwise is told at once, with all that was before it.
import type { CircuitTicket } from '../../fleet/circuit.ts';
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
  /** Of each circuit those that nothing else has followed yet. */
  readonly #successes = new Map<number, { readonly ticket: CircuitTicket; times: number }>();
  #circuits: CircuitNews[] = [];
  #limits: LimitNews[] = [];

  constructor(parts: OutboxParts) {
    this.#parts = parts;
  }

  circuit(news: CircuitNews): void {
    if (news.what === 'success' && !news.ticket.trial) return this.#succeeded(news.circuit, news.ticket);
    this.#circuits.push(news);
    // Failures decide at once, and others wait for the end of a trial.
    this.flush();
  }

  #succeeded(circuit: number, ticket: CircuitTicket): void {
    const known = this.#successes.get(circuit);
    if (known?.ticket.epoch === ticket.epoch) known.times++;
    else if (known === undefined) this.#successes.set(circuit, { ticket, times: 1 });
    else this.#circuits.push({ circuit, what: 'success', ticket });
  }

  limit(news: LimitNews): void {
    this.#limits.push(news);
    if ('refusedAtMs' in news) this.flush();
  }

  /** To be called every few dozen milliseconds. Whether there was anything. */
  flush(): boolean {
    const notes = this.#parts.notes();
    if (notes === undefined && this.#circuits.length + this.#limits.length + this.#successes.size === 0) return false;
    const successes = [...this.#successes].map(([circuit, one]) => ({ circuit, what: 'success' as const, ...one }));
    // What went well came before what did not, or it would have been told by then.
    const batch = { circuits: [...successes, ...this.#circuits], limits: this.#limits, notes };
    this.#successes.clear();
    this.#circuits = [];
    this.#limits = [];
    this.#parts.send(batch);
    return true;
  }
}
