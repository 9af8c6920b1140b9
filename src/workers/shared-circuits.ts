// What a circuit shows, in shared memory: written by the main thread, which alone decides, and read by the workers. Of these words
// a worker writes one: it takes the trial, so that of all workers only one has it. Beside it stands until when its member is to be
// left alone, which every worker writes that has been told so by the backend, and reads before its next choice.
import type { HoldOff, MemberState } from '../fleet/backend-state.ts';
import type { CircuitState, CircuitWords } from '../fleet/circuit.ts';
import { type Table, wordsOfCircuit } from './memory.ts';

const states: readonly CircuitState[] = ['closed', 'half_open', 'open'];

/** Of each circuit. */
const word = { state: 0, epoch: 1, onProbation: 2, trialOf: 3, holdOff: 4 } as const;

const reasons: readonly HoldOff['why'][] = ['busy', 'loading', 'misconfigured', 'wrong-model'];

/** `trialOf`: 0 where no trial runs, or the number of its worker plus one. */
export class SharedCircuitWords implements CircuitWords, Pick<MemberState, 'holdOff'> {
  readonly #words: Int32Array;
  readonly #retryAtMs: Float64Array;
  readonly #holdOffUntilMs: Float64Array;
  readonly #circuit: number;
  readonly #start: number;

  constructor({ circuits, retryAtMs, holdOffUntilMs }: Table, circuit: number) {
    this.#words = circuits;
    this.#retryAtMs = retryAtMs;
    this.#holdOffUntilMs = holdOffUntilMs;
    this.#circuit = circuit;
    this.#start = circuit * wordsOfCircuit;
  }

  /** As a circuit is that nothing has happened to. */
  clear(): void {
    for (let n = 0; n < wordsOfCircuit; n++) Atomics.store(this.#words, this.#start + n, 0);
    this.#retryAtMs[this.#circuit] = 0;
  }

  get state(): CircuitState {
    return states[this.#read(word.state)] ?? 'closed';
  }

  set state(state: CircuitState) {
    this.#write(word.state, states.indexOf(state));
  }

  get epoch(): number {
    return this.#read(word.epoch);
  }

  set epoch(epoch: number) {
    this.#write(word.epoch, epoch);
  }

  get onProbation(): boolean {
    return this.#read(word.onProbation) === 1;
  }

  set onProbation(is: boolean) {
    this.#write(word.onProbation, is ? 1 : 0);
  }

  get isTrialRunning(): boolean {
    return this.#read(word.trialOf) !== 0;
  }

  /** Only ever ended here: see `takeTrial`. */
  set isTrialRunning(is: boolean) {
    if (!is) this.#write(word.trialOf, 0);
  }

  /** Whether it has become this worker's. */
  takeTrial(worker: number): boolean {
    return Atomics.compareExchange(this.#words, this.#start + word.trialOf, 0, worker + 1) === 0;
  }

  /** Ends the trial of a worker that has ended itself; whether there was one. */
  freeTrial(worker: number): boolean {
    return Atomics.compareExchange(this.#words, this.#start + word.trialOf, worker + 1, 0) === worker + 1;
  }

  get retryAtMs(): number | undefined {
    const atMs = this.#retryAtMs[this.#circuit] ?? 0;
    return atMs === 0 ? undefined : atMs;
  }

  set retryAtMs(atMs: number | undefined) {
    this.#retryAtMs[this.#circuit] = atMs ?? 0;
  }

  get holdOff(): HoldOff | undefined {
    const found = this.#read(word.holdOff);
    if (found === 0) return undefined;
    const why = reasons[(found >> 1) - 1];
    const untilMs = this.#holdOffUntilMs[this.#circuit];
    return why === undefined || untilMs === undefined ? undefined : { why, untilMs, told: (found & 1) === 1 };
  }

  set holdOff(holdOff: HoldOff | undefined) {
    if (holdOff === undefined) {
      if (this.#read(word.holdOff) !== 0) this.#write(word.holdOff, 0);
      return;
    }
    // The time first: whoever sees that there is one sees a time too.
    this.#holdOffUntilMs[this.#circuit] = holdOff.untilMs;
    this.#write(word.holdOff, ((reasons.indexOf(holdOff.why) + 1) << 1) | (holdOff.told ? 1 : 0));
  }

  #read(which: number): number {
    return Atomics.load(this.#words, this.#start + which);
  }

  #write(which: number, value: number): void {
    Atomics.store(this.#words, this.#start + which, value);
  }
}
