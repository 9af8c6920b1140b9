// What a backend's probes have last told: when each kind of them had a good answer, and the load that its engine reports.
import type { LoadReading } from '../engines/engine.ts';

/** Clock milliseconds; undefined: never. */
export interface Signals {
  healthAtMs: number | undefined;
  modelsAtMs: number | undefined;
  load: LoadSignal | undefined;
}

export interface LoadSignal {
  readonly reading: LoadReading;
  readonly atMs: number;
  /** How often it is asked for. */
  readonly everyMs: number;
}

export function noSignals(): Signals {
  return { healthAtMs: undefined, modelsAtMs: undefined, load: undefined };
}

/** The load as the engine reports it; undefined: it does not, or has not for so long that it may be another one by now. */
export function reportedLoad({ load }: Signals, nowMs: number): LoadReading | undefined {
  if (load === undefined || nowMs - load.atMs > missedReadings * load.everyMs) return undefined;
  return load.reading;
}

const missedReadings = 3;
