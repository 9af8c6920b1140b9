// A circuit as a worker has it: what it shows is read from shared memory, and what happens is told to the main thread, which
// decides.
import { admits, type AttemptOutcome, type Circuit, type CircuitState, type CircuitTicket } from '../fleet/circuit.ts';
import type { SharedCircuitWords } from './shared-circuits.ts';

/** What has happened to a circuit: an attempt on it has ended or begun well, or the whole backend has failed. */
export type CircuitNews =
  | {
      readonly circuit: number;
      readonly what: AttemptOutcome | 'confirmed';
      readonly ticket: CircuitTicket;
      /** Absent: once. */
      readonly times?: number;
    }
  | { readonly circuit: number; readonly what: 'blamed' };

export interface RemoteCircuitParts {
  /** Of the circuit, never given out twice. */
  readonly id: number;
  readonly worker: number;
  readonly words: SharedCircuitWords;
  readonly tell: (news: CircuitNews) => void;
}

export class RemoteCircuit implements Circuit {
  readonly #parts: RemoteCircuitParts;

  constructor(parts: RemoteCircuitParts) {
    this.#parts = parts;
  }

  get state(): CircuitState {
    return this.#parts.words.state;
  }

  get retryAtMs(): number | undefined {
    return this.#parts.words.retryAtMs;
  }

  admits(): boolean {
    return admits(this.#parts.words);
  }

  enter(): CircuitTicket {
    const { words, worker } = this.#parts;
    const trial = words.state === 'closed' && words.onProbation && words.takeTrial(worker);
    // Read last: a trial that was taken over a trip belongs to what came after it, or it would never end.
    return { epoch: words.epoch, trial };
  }

  confirm(ticket: CircuitTicket): void {
    if (ticket.trial) this.#tell({ circuit: this.#parts.id, what: 'confirmed', ticket });
  }

  record(outcome: AttemptOutcome, ticket: CircuitTicket): void {
    if (outcome !== 'neutral' || ticket.trial) this.#tell({ circuit: this.#parts.id, what: outcome, ticket });
  }

  blame(): void {
    this.#tell({ circuit: this.#parts.id, what: 'blamed' });
  }

  /** Probes are the main thread's. */
  probed(): void {}

  /** Its timers are the main thread's. */
  close(): void {}

  #tell(news: CircuitNews): void {
    this.#parts.tell(news);
  }
}
