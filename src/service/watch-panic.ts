// Tells the log when the panic rule begins and ceases to hold for a model; see selection/panic.
import type { Logger } from '../log.ts';
import type { Target } from '../routing/snapshot.ts';
import { isPanicking } from '../selection/panic.ts';

/** The function returned looks again; to be called whenever a health, a circuit or the snapshot has changed. */
export function watchPanic(targets: () => ReadonlyMap<string, Target>, log: Logger): () => void {
  let before: ReadonlySet<string> = new Set();
  return () => {
    const now = new Set<string>();
    for (const [model, { candidates, panicRatio }] of targets()) {
      if (isPanicking(candidates, panicRatio)) now.add(model);
    }
    for (const model of now) {
      if (!before.has(model)) log.warn({ model, panic: true }, 'so many backends are out that all of them are tried');
    }
    for (const model of before)
      if (!now.has(model)) log.info({ model, panic: false }, 'enough backends are well again');
    before = now;
  };
}
