// Asks one backend, again and again, whether it is well and what it serves. Free requests only: nothing here loads a
// model or generates a token of ours.
import type { Clock } from '../clock.ts';
import { detect, detectionPaths } from '../engines/detect.ts';
import type { Probe } from '../engines/engine.ts';
import { type EngineName, engines } from '../engines/index.ts';
import { type BackendState, forgetRefusals } from '../fleet/backend-state.ts';
import type { Backend } from '../fleet/fleet.ts';
import { isTlsTrouble, type TlsTrouble } from '../fleet/tls.ts';
import { type Answers, ask } from './ask.ts';
import type { Connections } from './connections.ts';
import { type HealthTrack, trackHealth } from './health.ts';
import { LoadLoop } from './load-loop.ts';
import type { ProbeReason } from './probe.ts';
import { unwell } from './unwell.ts';

export interface ProberParts {
  readonly connections: Connections;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly observer: ProbeObserver;
}

export interface ProbeObserver {
  probed(
    backend: string,
    probe: 'health' | 'models' | 'load',
    durationMs: number,
    failure: ProbeReason | undefined,
  ): void;
  /** A round has ended: what was wrong with it, such as `connection refused` or `HTTP 503 at /health`; undefined: nothing. */
  found(backend: string, problem: string | undefined): void;
  /** It was connected to over TLS, or could not be because of this. */
  shookHands(backend: string, trouble: TlsTrouble | undefined): void;
  /** Health has changed; `before` is what it was. */
  healthChanged(state: BackendState, before: BackendState['health']): void;
  /** When it is probed next has been decided anew. */
  scheduled(state: BackendState): void;
  /** The models a backend serves, or the engine it runs, are other ones than before. */
  modelsChanged(state: BackendState): void;
}

/** How often a backend that stays up is asked for its models again. */
const rediscoverEveryMs = 30_000;
const detectTimeoutMs = 2_000;
const defaultIntervalMs = 5_000;

export class ProbeLoop {
  #backend: Backend;
  readonly #state: BackendState;
  readonly #parts: ProberParts;
  readonly #ended = new AbortController();
  readonly #track: HealthTrack;
  readonly #load: LoadLoop;
  #cancel: () => void = () => {};
  #running: Promise<void> | undefined = undefined;
  #again = false;
  #rediscoverAtMs = 0;
  /** The first thing that went wrong in this round. */
  #problem: string | undefined = undefined;
  /** `lost`: it was up, and has gone down since. */
  #life: 'new' | 'well' | 'lost';

  constructor(backend: Backend, state: BackendState, parts: ProberParts) {
    this.#backend = backend;
    this.#state = state;
    this.#parts = parts;
    this.#track = trackHealth(() => this.#backend.probe);
    this.#load = new LoadLoop(state, { ...parts, backend: () => this.#backend, ended: this.#ended.signal });
    this.#life = state.health === 'up' ? 'well' : 'new';
  }

  get name(): string {
    return this.#backend.name;
  }

  update(backend: Backend): void {
    const { probe, bearer } = this.#backend;
    this.#backend = backend;
    // With other credentials it may show other models; with another interval the wait for the next probe is wrong.
    if (backend.bearer !== bearer) this.refresh();
    else if (JSON.stringify(backend.probe) !== JSON.stringify(probe)) this.soon();
  }

  soon(): void {
    if (this.#ended.signal.aborted) return;
    this.#cancel();
    if (this.#running !== undefined) {
      this.#again = true;
      return;
    }
    this.#running = this.#round().finally(() => {
      this.#running = undefined;
      this.#schedule();
    });
  }

  refresh(): void {
    this.#rediscoverAtMs = 0;
    this.soon();
  }

  async stop(): Promise<void> {
    this.#ended.abort();
    this.#cancel();
    await Promise.all([this.#running, this.#load.stop()]);
  }

  #schedule(): void {
    if (this.#ended.signal.aborted) return;
    const again = this.#again;
    this.#again = false;
    const intervalMs = this.#backend.probe.intervalMs ?? this.#engine()?.probes.health.intervalMs ?? defaultIntervalMs;
    // ±20 %, so that a fleet is not probed in step.
    const waitMs = again ? 0 : intervalMs * (0.8 + 0.4 * this.#parts.random());
    this.#state.probeAtMs = this.#parts.clock.now() + waitMs;
    this.#parts.observer.scheduled(this.#state);
    this.#cancel = this.#parts.clock.after(waitMs, () => this.soon());
  }

  #engine() {
    return this.#state.engine === undefined ? undefined : engines[this.#state.engine];
  }

  async #round(): Promise<void> {
    const wasUp = this.#state.health === 'up';
    this.#problem = undefined;
    const engine = await this.#detectWhenDue(wasUp);
    if (this.#ended.signal.aborted) return;
    if (engine === undefined) {
      this.#show('down', this.#problem ?? 'no engine that is known');
    } else {
      // What only looked for the engine had to fail in part.
      this.#problem = undefined;
      const { answers } = await this.#ask('health', engines[engine].probes.health);
      const reading = engines[engine].probes.health.read(answers);
      if (reading !== 'down') this.#state.signals.healthAtMs = this.#parts.clock.now();
      const due = !wasUp || this.#parts.clock.now() >= this.#rediscoverAtMs;
      // Models first: a backend that is shown as up can be found under its models.
      const refused = reading === 'up' && due ? await this.#discover(engine) : false;
      // What an aborted probe has found says nothing.
      if (this.#ended.signal.aborted) return;
      this.#show(refused ? 'misconfigured' : reading, this.#problem ?? unwell[refused ? 'misconfigured' : reading]);
    }
    if (!this.#state.probedOnce && !this.#ended.signal.aborted) {
      this.#state.probedOnce = true;
      this.#parts.observer.modelsChanged(this.#state);
    }
  }

  /** What runs there may have changed while it was away, so `auto` looks again until it is up. */
  async #detectWhenDue(isUp: boolean): Promise<EngineName | undefined> {
    if (this.#backend.engine !== 'auto') return this.#backend.engine;
    // `openai` is what is left when nothing more telling answered, perhaps only because the box was busy just then.
    const isSure = this.#state.engine !== undefined && this.#state.engine !== 'openai';
    const due = this.#parts.clock.now() >= this.#rediscoverAtMs;
    if (isUp && (isSure || !due)) return this.#state.engine;
    const { answers } = await this.#getAll(detectionPaths, this.#backend.probe.timeoutMs ?? detectTimeoutMs);
    const found = detect(answers);
    if (found !== undefined && found !== this.#state.engine) {
      this.#state.engine = found;
      this.#state.discovered = undefined;
    }
    return found ?? this.#state.engine;
  }

  /** True when the backend refuses the fleet's credential for its models. */
  async #discover(engine: EngineName): Promise<boolean> {
    const probe = engines[engine].probes.models;
    const { answers } = await this.#ask('models', probe);
    if (answers.some((answer) => answer?.status === 401 || answer?.status === 403)) {
      const first = answers[0];
      if (first === undefined || first.status === 401 || first.status === 403) return true;
    }
    const models = this.#ended.signal.aborted ? undefined : probe.read(answers);
    if (models === undefined) return false;
    this.#state.signals.modelsAtMs = this.#parts.clock.now();
    this.#rediscoverAtMs = this.#state.signals.modelsAtMs + rediscoverEveryMs;
    if (JSON.stringify(models) === JSON.stringify(this.#state.discovered)) return false;
    this.#state.discovered = models;
    this.#parts.observer.modelsChanged(this.#state);
    return false;
  }

  #show(reading: Parameters<HealthTrack['next']>[0], problem: string | undefined): void {
    this.#parts.observer.found(this.#backend.name, reading === 'up' ? undefined : problem);
    const before = this.#state.health;
    this.#state.health = this.#track.next(reading);
    for (const member of this.#state.members.values()) member.circuit.probed(reading === 'up');
    if (this.#state.health === 'up') this.#load.wake();
    if (before === this.#state.health) return;
    this.#noteReturn();
    if (this.#state.health === 'up' && before !== 'unknown') forgetRefusals(this.#state);
    this.#parts.observer.healthChanged(this.#state, before);
  }

  /** What was up, went down and is up again has come back; what has only just started has not. */
  #noteReturn(): void {
    const { health } = this.#state;
    if (health === 'down' && this.#life === 'well') this.#life = 'lost';
    if (health !== 'up') return;
    if (this.#life === 'lost') this.#state.backSinceMs = this.#parts.clock.now();
    this.#life = 'well';
  }

  async #ask<T>(kind: 'health' | 'models', probe: Probe<T>): Promise<Answers> {
    const startedMs = this.#parts.clock.now();
    const asked = await this.#getAll(probe.paths, this.#backend.probe.timeoutMs ?? probe.timeoutMs);
    if (!this.#ended.signal.aborted)
      this.#parts.observer.probed(this.#backend.name, kind, this.#parts.clock.now() - startedMs, asked.failure);
    return asked;
  }

  async #getAll(paths: readonly string[], timeoutMs: number): Promise<Answers> {
    const { connections } = this.#parts;
    const asked = await ask({ connections, backend: this.#backend, paths, timeoutMs, ended: this.#ended.signal });
    this.#problem ??= asked.problem;
    this.#noteHandshake(asked);
    return asked;
  }

  /** A timeout or a refused connection says nothing about certificates. */
  #noteHandshake({ answers: [first], failure }: Answers): void {
    if (this.#ended.signal.aborted || this.#backend.url?.startsWith('https:') !== true) return;
    const { name } = this.#backend;
    if (first !== undefined) this.#parts.observer.shookHands(name, undefined);
    else if (failure !== undefined && isTlsTrouble(failure)) this.#parts.observer.shookHands(name, failure);
  }
}
