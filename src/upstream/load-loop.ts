// Asks a backend that is up how much it has to do, where its engine tells. A loop beside the one that asks whether it is
// well: load changes faster, and some engines take their time to tell it.
import { engines } from '../engines/index.ts';
import type { BackendState } from '../fleet/backend-state.ts';
import type { Backend } from '../fleet/fleet.ts';
import { ask } from './ask.ts';
import type { ProberParts } from './prober.ts';

export interface LoadLoopParts extends ProberParts {
  /** As the fleet has it now. */
  readonly backend: () => Backend;
  readonly ended: AbortSignal;
}

/** How often an engine that tells no load, because it was not started so, is asked again. */
const notOfferedMs = 30_000;

export class LoadLoop {
  readonly #state: BackendState;
  readonly #parts: LoadLoopParts;
  #cancel: (() => void) | undefined = undefined;
  #running: Promise<void> | undefined = undefined;

  constructor(state: BackendState, parts: LoadLoopParts) {
    this.#state = state;
    this.#parts = parts;
  }

  /** To be told when it has been found up: asked from now on, for as long as it stays so. */
  wake(): void {
    if (this.#cancel === undefined) this.#next();
  }

  async stop(): Promise<void> {
    this.#cancel?.();
    await this.#running;
  }

  #next(): void {
    this.#cancel = undefined;
    const { health, engine } = this.#state;
    const probe = health === 'up' && engine !== undefined ? engines[engine].probes.load : undefined;
    if (probe === undefined || this.#running !== undefined || this.#parts.ended.aborted) return;
    this.#running = this.#askAndWait(probe);
  }

  async #askAndWait(probe: LoadProbe): Promise<void> {
    const waitMs = await this.#ask(probe);
    this.#running = undefined;
    if (this.#parts.ended.aborted) return;
    // ±20 %, so that a fleet is not probed in step.
    this.#cancel = this.#parts.clock.after(waitMs * (0.8 + 0.4 * this.#parts.random()), () => this.#next());
  }

  /** Returns when to ask again. */
  async #ask(probe: LoadProbe): Promise<number> {
    const { connections, clock, ended, observer } = this.#parts;
    const backend = this.#parts.backend();
    const { paths, timeoutMs, intervalMs } = probe;
    const startedMs = clock.now();
    const { answers, failure } = await ask({
      connections,
      backend,
      paths,
      timeoutMs: backend.probe.timeoutMs ?? timeoutMs,
      ended,
    });
    if (ended.aborted) return intervalMs;
    const reading = probe.read(answers);
    const nowMs = clock.now();
    const why = reading === undefined ? (failure ?? 'unreadable') : undefined;
    observer.probed(backend.name, 'load', nowMs - startedMs, why);
    if (reading !== undefined) this.#state.signals.load = { reading, atMs: nowMs, everyMs: intervalMs };
    return why === 'status' || why === 'unreadable' ? notOfferedMs : intervalMs;
  }
}

type LoadProbe = NonNullable<(typeof engines)[keyof typeof engines]['probes']['load']>;
