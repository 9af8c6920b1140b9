// Makes the circuit of each backend and model, and the timers they share.
import type { Clock } from '../clock.ts';
import type { Circuit, CircuitState } from '../fleet/circuit.ts';
import type { Backend } from '../fleet/fleet.ts';
import { createWindowTicker, OpossumCircuit, type WindowTicker } from './circuit.ts';

export interface CircuitsParts {
  readonly clock: Clock;
  readonly random: () => number;
  changed(backend: Backend, model: string, state: CircuitState): void;
  wantsProbe(backend: Backend): void;
  mayOpen(backend: Backend, model: string): boolean;
}

export interface Circuits {
  readonly make: (backend: Backend, model: string) => Circuit;
  /** Ends the shared timers; each circuit is closed by whoever holds it. */
  close(): void;
}

export function createCircuits(parts: CircuitsParts): Circuits {
  const tickers = new Map<number, WindowTicker>();
  const tickerFor = (bucketMs: number) => {
    const known = tickers.get(bucketMs);
    if (known !== undefined) return known;
    const ticker = createWindowTicker(bucketMs);
    tickers.set(bucketMs, ticker);
    return ticker;
  };
  return {
    make: (backend, model) =>
      new OpossumCircuit(
        backend.circuit,
        {
          clock: parts.clock,
          random: parts.random,
          mayOpen: () => parts.mayOpen(backend, model),
          changed: (state) => parts.changed(backend, model, state),
          wantsProbe: () => parts.wantsProbe(backend),
        },
        tickerFor(Math.ceil(backend.circuit.windowMs / 10)),
      ),
    close() {
      for (const ticker of tickers.values()) ticker.close();
    },
  };
}
