// What a thread that serves has to tell of its requests to the one that remembers them: sums of a moment, and the few things that
// are remembered one by one. It notes, and the recorder of the main thread takes it over.
import type { Counters } from '../../admission/counters.ts';
import type { Clock } from '../../clock.ts';
import type { Look } from '../../routing/claim.ts';
import type { AttemptEnded, ExchangeSettled } from '../../routing/ports.ts';
import type { Saying } from './backend-records.ts';
import { isFaultOfBackend } from './faults.ts';
import { type Decision, LatestDecisions } from './latest-decisions.ts';
import { type Failure, LatestFailures } from './latest-failures.ts';
import { problemOfAttempt } from './problem-of-attempt.ts';
import { addCounts, type Counts, countsOf, noCounts } from './traffic.ts';

export interface RequestNotes {
  readonly tenants: ReadonlyMap<string, Readonly<Counts>>;
  readonly backends: ReadonlyMap<string, Readonly<BackendNotes>>;
  readonly failures: readonly Failure[];
  readonly decisions: readonly Decision[];
}

export interface BackendNotes {
  attempts: number;
  failed: number;
  readonly firstTokensMs: number[];
  /** Of the last attempt that says anything. */
  problem: Saying | undefined;
}

export class NoteTaker {
  readonly #clock: Clock;
  readonly #openFailures = new LatestFailures((failure) => this.#failures.push(failure));
  readonly #look: LatestDecisions;
  #tenants = new Map<string, Counts>();
  #backends = new Map<string, BackendNotes>();
  #failures: Failure[] = [];
  #decisions: Decision[] = [];

  constructor(clock: Clock, inFlight: Counters) {
    this.#clock = clock;
    this.#look = new LatestDecisions(inFlight, (decision) => this.#decisions.push(decision));
  }

  attempted(event: AttemptEnded): void {
    const { backend, error, firstTokenMs } = event;
    const nowMs = this.#clock.now();
    const notes = this.#ofBackend(backend);
    notes.attempts++;
    if (firstTokenMs !== undefined) notes.firstTokensMs.push(firstTokenMs);
    if (isFaultOfBackend(error)) {
      notes.failed++;
      notes.problem = { atMs: nowMs, what: problemOfAttempt(error) };
    } else if (error === undefined) {
      notes.problem = { atMs: nowMs };
    }
    this.#openFailures.attempted(event, nowMs);
  }

  settled(event: ExchangeSettled): void {
    const counts = this.#tenants.get(event.tenant) ?? noCounts();
    this.#tenants.set(event.tenant, counts);
    addCounts(counts, countsOf(event));
    this.#openFailures.settled(event, this.#clock.now());
  }

  looked(look: Look): void {
    this.#look.looked(look);
  }

  /** What was noted since this was last asked; undefined: nothing. */
  take(): RequestNotes | undefined {
    if (this.#tenants.size + this.#backends.size + this.#decisions.length === 0) return undefined;
    const notes = {
      tenants: this.#tenants,
      backends: this.#backends,
      failures: this.#failures,
      decisions: this.#decisions,
    };
    this.#tenants = new Map();
    this.#backends = new Map();
    this.#failures = [];
    this.#decisions = [];
    return notes;
  }

  #ofBackend(backend: string): BackendNotes {
    const known = this.#backends.get(backend);
    if (known !== undefined) return known;
    const notes: BackendNotes = { attempts: 0, failed: 0, firstTokensMs: [], problem: undefined };
    this.#backends.set(backend, notes);
    return notes;
  }
}
