// Makes the circuit of each backend and model, and the timers they share.
import type { Clock } from '../clock.ts';
import { identityOf } from '../fleet/changes.ts';
import type { Circuit, CircuitState, CircuitWords } from '../fleet/circuit.ts';
import type { Backend } from '../fleet/fleet.ts';
import { createWindowTicker, OpossumCircuit, type WindowTicker } from './circuit.ts';

export interface CircuitsParts {
  readonly clock: Clock;
  readonly random: () => number;
  changed(backend: Backend, model: string, state: CircuitState): void;
  wantsProbe(backend: Backend): void;
  mayOpen(backend: Backend, model: string): boolean;
  /** Where what a circuit shows is kept; left out: in itself. */
  readonly words?: ((backend: Backend, model: string) => CircuitWords | undefined) | undefined;
}

export interface Circuits {
  readonly make: (backend: Backend, model: string) => Circuit;
  /** Takes over the settings of a backend whose circuits stay. */
  configure(backend: Backend): void;
  /** Has nothing more to do with the circuits of a backend; who holds them closes them. */
  drop(backend: Backend): void;
  /** Shared timers. */
  readonly timers: number;
  /** Ends the shared timers; each circuit is closed by whoever holds it. */
  close(): void;
}

export function createCircuits(parts: CircuitsParts): Circuits {
  const tickers = new Map<number, WindowTicker>();
  const made = new Map<string, { settings: Backend['circuit']; readonly circuits: OpossumCircuit[] }>();
  const tickerFor = ({ windowMs }: Backend['circuit']) => {
    const bucketMs = bucketOf(windowMs);
    const known = tickers.get(bucketMs);
    if (known !== undefined) return known;
    const ticker = createWindowTicker(bucketMs);
    tickers.set(bucketMs, ticker);
    return ticker;
  };
  const closeUnusedTickers = () => {
    const used = new Set([...made.values()].map(({ settings }) => bucketOf(settings.windowMs)));
    for (const [bucketMs, ticker] of tickers) {
      if (used.has(bucketMs)) continue;
      ticker.close();
      tickers.delete(bucketMs);
    }
  };
  return {
    make(backend, model) {
      const mine = made.get(identityOf(backend)) ?? { settings: backend.circuit, circuits: [] };
      made.set(identityOf(backend), mine);
      const circuit = new OpossumCircuit(
        mine.settings,
        {
          clock: parts.clock,
          random: parts.random,
          mayOpen: () => parts.mayOpen(backend, model),
          changed: (state) => parts.changed(backend, model, state),
          wantsProbe: () => parts.wantsProbe(backend),
          words: parts.words?.(backend, model),
        },
        tickerFor(mine.settings),
      );
      mine.circuits.push(circuit);
      return circuit;
    },
    configure(backend) {
      const mine = made.get(identityOf(backend));
      if (mine === undefined) return;
      mine.settings = backend.circuit;
      for (const circuit of mine.circuits) circuit.configure(backend.circuit, tickerFor(backend.circuit));
      closeUnusedTickers();
    },
    drop(backend) {
      made.delete(identityOf(backend));
      closeUnusedTickers();
    },
    get timers() {
      return tickers.size;
    },
    close() {
      for (const ticker of tickers.values()) ticker.close();
      tickers.clear();
    },
  };
}

/** A tenth of the window. */
function bucketOf(windowMs: number): number {
  return Math.ceil(windowMs / 10);
}
