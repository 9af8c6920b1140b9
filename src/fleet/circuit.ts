// The port behind which a circuit breaker stands: one per backend and model. See upstream/circuit for the one in use.

export type CircuitState = 'closed' | 'half_open' | 'open';

/** How an attempt bears on the backend: `neutral` says nothing about it (the caller left, the request was at fault). */
export type AttemptOutcome = 'success' | 'failure' | 'neutral';

export interface Circuit {
  readonly state: CircuitState;
  /** When the pause is over and a probe is due (clock milliseconds); undefined unless open. */
  readonly retryAtMs: number | undefined;
  /** Whether an attempt may start now. Synchronous; changes nothing. */
  admits(): boolean;
  /** Called in the same synchronous step as the choice; every call is followed by exactly one `record`. */
  enter(): CircuitTicket;
  /** The attempt has begun to answer well: a trial has passed, though it may go on for long. */
  confirm(ticket: CircuitTicket): void;
  /** Books the end of an attempt. Outcomes of attempts from before the last trip are ignored. */
  record(outcome: AttemptOutcome, ticket: CircuitTicket): void;
  /** Books a failure that concerns the whole backend, such as a refused connection, outside of any ticket. */
  blame(): void;
  /** A health probe has ended; while half open a good one closes the circuit for a trial by live traffic. */
  probed(healthy: boolean): void;
  /** Ends its timers. Nothing may be recorded afterwards. */
  close(): void;
}

/** What whoever asks a circuit goes by: in shared memory, where other threads ask than the one that decides. */
export interface CircuitWords {
  state: CircuitState;
  /** Trips so far: outcomes of attempts that began before the last one say nothing about now. */
  epoch: number;
  /** Closed by a probe and not yet confirmed by live traffic: one attempt at a time, one failure re-opens. */
  onProbation: boolean;
  isTrialRunning: boolean;
  /** When the pause is over; undefined unless open. */
  retryAtMs: number | undefined;
}

export function plainCircuitWords(): CircuitWords {
  return { state: 'closed', epoch: 0, onProbation: false, isTrialRunning: false, retryAtMs: undefined };
}

/** Whether an attempt may start, as the words stand. */
export function admits({ state, onProbation, isTrialRunning }: CircuitWords): boolean {
  return state === 'closed' && !(onProbation && isTrialRunning);
}

export interface CircuitTicket {
  /** Count of trips at the time of entering. */
  readonly epoch: number;
  readonly trial: boolean;
}
