// Tells of backends that workers have found silent for too long, and of those that they no longer do: once for all workers.
import type { Roster } from '../../fleet/roster.ts';
import type { Logger } from '../../log.ts';
import type { Table } from '../../workers/memory.ts';
import { isStalledAnywhere } from '../../workers/shared-backends.ts';
import type { Recorder } from '../report/recorder.ts';

export interface StallsParts {
  readonly table: Table;
  readonly roster: Roster;
  readonly log: Logger;
  readonly recorder: Recorder;
  readonly changed: () => void;
}

export function watchStalls({ table, roster, log, recorder, changed }: StallsParts) {
  const known = new Set<string>();
  function lookAt(name: string, index: number): void {
    const stalled = isStalledAnywhere(table, index);
    if (stalled === known.has(name)) return;
    if (stalled) known.add(name);
    else known.delete(name);
    recorder.changed(name, stalled ? 'stalled' : 'no longer stalled');
    log[stalled ? 'warn' : 'info']({ backend: name, stalled }, 'backend changed');
    changed();
  }
  return {
    /** Something has changed there. */
    look(index: number): void {
      for (const state of roster.all()) if (state.index === index) lookAt(state.name, index);
    },
    lookAtAll(): void {
      for (const state of roster.all()) lookAt(state.name, state.index);
    },
  };
}
