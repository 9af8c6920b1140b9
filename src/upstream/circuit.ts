// The circuit breaker: opossum as a state machine, fed with outcomes that are already known. Each attempt is booked
// once, at its end, and only while the circuit is closed and of the same trip, because opossum itself counts calls by
// when they return: a stream from before a trip would close it, and rejected calls would dilute the next window.
import { EventEmitter } from 'node:events';
import CircuitBreaker from 'opossum';
import type { Clock } from '../clock.ts';
import {
  admits,
  type AttemptOutcome,
  type Circuit,
  type CircuitState,
  type CircuitTicket,
  type CircuitWords,
  plainCircuitWords,
} from '../fleet/circuit.ts';
import type { CircuitSettings } from '../fleet/fleet.ts';

export interface CircuitParts {
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** False for the last usable member of a model, which is never ejected. */
  mayOpen(): boolean;
  changed(state: CircuitState): void;
  /** The circuit is half open: probe the backend soon, and say how it went through `probed`. */
  wantsProbe(): void;
  /** Where what it shows is kept; absent: in itself. */
  readonly words?: CircuitWords | undefined;
}

/** Buckets of opossum's window are turned by one timer for all breakers of a process, not by two timers each. */
export interface WindowTicker {
  readonly controller: EventEmitter;
  close(): void;
}

export class OpossumCircuit implements Circuit {
  #settings: CircuitSettings;
  readonly #parts: CircuitParts;
  readonly #words: CircuitWords;
  #ticker: WindowTicker;
  #breaker: CircuitBreaker;
  #consecutive = 0;
  /** Trips since it last did well for long; decides how long the next one lasts. */
  #trips = 0;
  #pauseMs = 0;
  /** When it last failed or was closed after a pause. */
  #unwellAtMs = 0;
  #cancelOpen: () => void = () => {};

  constructor(settings: CircuitSettings, parts: CircuitParts, ticker: WindowTicker) {
    this.#settings = settings;
    this.#parts = parts;
    this.#words = parts.words ?? plainCircuitWords();
    this.#ticker = ticker;
    this.#breaker = this.#makeBreaker();
  }

  get state(): CircuitState {
    return this.#words.state;
  }

  get retryAtMs(): number | undefined {
    return this.#words.retryAtMs;
  }

  admits(): boolean {
    return admits(this.#words);
  }

  enter(): CircuitTicket {
    const trial = this.#words.state === 'closed' && this.#words.onProbation && !this.#words.isTrialRunning;
    if (trial) this.#words.isTrialRunning = true;
    return { epoch: this.#words.epoch, trial };
  }

  confirm(ticket: CircuitTicket): void {
    if (!ticket.trial || ticket.epoch !== this.#words.epoch) return;
    this.#words.isTrialRunning = false;
    this.#words.onProbation = false;
  }

  record(outcome: AttemptOutcome, ticket: CircuitTicket): void {
    if (ticket.trial && ticket.epoch === this.#words.epoch) this.#words.isTrialRunning = false;
    if (outcome === 'neutral' || this.#words.state !== 'closed' || ticket.epoch !== this.#words.epoch) return;
    if (outcome === 'success') this.#succeeded();
    else this.#failed();
  }

  blame(): void {
    if (this.#words.state === 'closed') this.#failed();
  }

  probed(healthy: boolean): void {
    if (this.#words.state !== 'half_open') return;
    if (!healthy) return this.#openFor(this.#openMs());
    // A new one: the old one's window still holds the outage, and one failure would open it again.
    this.#breaker.shutdown();
    this.#breaker = this.#makeBreaker();
    this.#words.onProbation = true;
    this.#words.isTrialRunning = false;
    this.#unwellAtMs = this.#parts.clock.now();
    this.#become('closed');
  }

  /** Other settings from now on. What is known stays, but for the window's counts where its own settings change. */
  configure(settings: CircuitSettings, ticker: WindowTicker): void {
    const { windowMs, minRequests, failureRatio } = this.#settings;
    this.#settings = settings;
    this.#ticker = ticker;
    const isSameWindow = settings.windowMs === windowMs && settings.minRequests === minRequests;
    if (isSameWindow && settings.failureRatio === failureRatio) return;
    this.#breaker.shutdown();
    this.#breaker = this.#makeBreaker();
  }

  close(): void {
    this.#cancelOpen();
    this.#breaker.shutdown();
  }

  #makeBreaker(): CircuitBreaker {
    const breaker = new CircuitBreaker(
      (failed: boolean) => (failed ? Promise.reject(new Error('failed')) : Promise.resolve()),
      {
        timeout: false,
        volumeThreshold: this.#settings.minRequests,
        // opossum opens strictly above the threshold; ours is reached at it.
        errorThresholdPercentage: this.#settings.failureRatio * 100 - 0.1,
        rollingCountTimeout: this.#settings.windowMs,
        rollingCountBuckets: 10,
        rollingPercentilesEnabled: false,
        enableSnapshots: false,
        rotateBucketController: this.#ticker.controller,
        // Re-opening is timed here, so that it grows per trip; opossum's own timer must not get there first.
        resetTimeout: 2_147_483_647,
      },
    );
    breaker.on('open', () => this.#opened());
    return breaker;
  }

  #succeeded(): void {
    this.#consecutive = 0;
    this.#words.onProbation = false;
    // One success is no recovery: a backend that works for two seconds and then fails again is out for longer each time.
    // So it has to do without a failure for as long as it was out, and for a window at least.
    const wellMs = this.#parts.clock.now() - this.#unwellAtMs;
    if (wellMs >= Math.max(this.#pauseMs, this.#settings.windowMs)) this.#trips = 0;
    this.#fire(false);
  }

  #failed(): void {
    this.#consecutive++;
    this.#unwellAtMs = this.#parts.clock.now();
    const mayOpen = this.#parts.mayOpen();
    if (mayOpen && (this.#words.onProbation || this.#consecutive >= this.#settings.consecutive)) {
      this.#breaker.open();
      return;
    }
    // The last usable member stays in; its failures still count, for the moment when another one is back.
    if (mayOpen) this.#fire(true);
  }

  #fire(failed: boolean): void {
    this.#breaker.fire(failed).catch(() => {});
  }

  #opened(): void {
    this.#words.epoch++;
    this.#trips++;
    this.#consecutive = 0;
    this.#words.onProbation = false;
    this.#words.isTrialRunning = false;
    this.#openFor(this.#openMs());
  }

  /** open_for × growth per trip in a row, at most open_max, ±20 % so that replicas do not probe in step. */
  #openMs(): number {
    const { openForMs, growth, openMaxMs } = this.#settings;
    const grown = Math.min(openMaxMs, openForMs * growth ** Math.max(0, this.#trips - 1));
    return grown * (0.8 + 0.4 * this.#parts.random());
  }

  #openFor(ms: number): void {
    this.#pauseMs = ms;
    this.#words.retryAtMs = this.#parts.clock.now() + ms;
    this.#become('open');
    this.#cancelOpen();
    this.#cancelOpen = this.#parts.clock.after(ms, () => {
      this.#words.retryAtMs = undefined;
      this.#become('half_open');
      this.#parts.wantsProbe();
    });
  }

  #become(state: CircuitState): void {
    if (this.#words.state === state) return;
    this.#words.state = state;
    this.#parts.changed(state);
  }
}

/** Turns the buckets of every breaker each `bucketMs`, a tenth of their window. */
export function createWindowTicker(bucketMs: number): WindowTicker {
  const controller = new EventEmitter();
  controller.setMaxListeners(0);
  const timer = setInterval(() => controller.emit('rotate'), bucketMs);
  timer.unref();
  return { controller, close: () => clearInterval(timer) };
}
