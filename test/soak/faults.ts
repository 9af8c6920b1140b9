// The faults of a soak, one backend at a time, and what each of them may cost.
import { setTimeout } from 'node:timers/promises';
import type { Outcome } from './call.ts';
import type { EngineProcess } from './engine-process.ts';

export interface FaultKind {
  readonly name: string;
  /** Whether answers that have begun there may break. Nothing else may ever go wrong. */
  readonly breaks: boolean;
  begin(engine: EngineProcess): void | Promise<void>;
  end(engine: EngineProcess): void | Promise<void>;
}

export const faultKinds: readonly FaultKind[] = [
  { name: 'killed', breaks: true, begin: (engine) => engine.kill(), end: (engine) => engine.comeBack() },
  misbehaving('hangs before the head', 'hang', false),
  misbehaving('answers 500', 'error', false),
  misbehaving('resets in the middle', 'reset', true),
  { name: 'stands still', breaks: true, begin: (engine) => engine.standStill(), end: (engine) => engine.goOn() },
  misbehaving('drips slowly', 'drip', false),
  misbehaving('is full', 'full', false),
  misbehaving('puts an error into a 200', 'event', false),
];

function misbehaving(name: string, how: Parameters<EngineProcess['misbehave']>[0], breaks: boolean): FaultKind {
  return { name, breaks, begin: (engine) => engine.misbehave(how), end: (engine) => engine.misbehave('none') };
}

/** For an answer that was told late that it is broken: the longest time limit of the soak, and some. */
const graceMs = 5_000;

interface Happened {
  readonly kind: FaultKind;
  readonly backend: string;
  readonly fromMs: number;
  readonly toMs: number;
}

export class FaultLog {
  readonly #happened: Happened[] = [];

  get names(): readonly string[] {
    return this.#happened.map(({ kind }) => kind.name);
  }

  async inject(kind: FaultKind, engine: EngineProcess, forMs: number): Promise<void> {
    const fromMs = performance.now();
    await kind.begin(engine);
    await setTimeout(forMs);
    await kind.end(engine);
    this.#happened.push({ kind, backend: engine.name, fromMs, toMs: performance.now() });
  }

  /** Whether a fault of that very backend, at that time, accounts for a broken answer. */
  explains({ backend, startedMs, endedMs }: Outcome): boolean {
    return this.#happened.some(
      ({ kind, backend: of, fromMs, toMs }) =>
        kind.breaks && of === backend && startedMs <= toMs && endedMs >= fromMs && endedMs <= toMs + graceMs,
    );
  }
}
