// The probes of a fleet: one loop for each backend, for as long as the backend is in the fleet.
import type { BackendState } from '../fleet/backend-state.ts';
import { identityOf } from '../fleet/changes.ts';
import type { Backend } from '../fleet/fleet.ts';
import type { Rediscovery } from '../routing/ports.ts';
import { ProbeLoop, type ProberParts } from './prober.ts';

export interface Prober extends Rediscovery {
  /** Probed from now on, or from the start on. */
  add(backend: Backend, state: BackendState): void;
  /** Takes over the settings of a backend that stays; what is known about it stays too. */
  update(backend: Backend): void;
  /** Resolves when nothing is asked of it any more. */
  remove(backend: Backend): Promise<void>;
  start(): void;
  /** Probes a backend now instead of when it is due. */
  soon(backend: string): void;
  /** How many backends it probes. */
  readonly size: number;
  stop(): Promise<void>;
}

export function createProber(parts: ProberParts): Prober {
  const loops = new Map<string, ProbeLoop>();
  let started = false;
  const named = (name: string) => [...loops.values()].filter((loop) => loop.name === name);
  return {
    add(backend, state) {
      const loop = new ProbeLoop(backend, state, parts);
      loops.set(identityOf(backend), loop);
      if (started) loop.soon();
    },
    update: (backend) => loops.get(identityOf(backend))?.update(backend),
    async remove(backend) {
      const loop = loops.get(identityOf(backend));
      loops.delete(identityOf(backend));
      await loop?.stop();
    },
    start() {
      started = true;
      for (const loop of loops.values()) loop.soon();
    },
    soon(name) {
      for (const loop of named(name)) loop.soon();
    },
    refresh(name) {
      for (const loop of named(name)) loop.refresh();
    },
    get size() {
      return loops.size;
    },
    async stop() {
      await Promise.all([...loops.values()].map((loop) => loop.stop()));
      loops.clear();
    },
  };
}
