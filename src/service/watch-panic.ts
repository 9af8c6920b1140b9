// Tells the log when the panic rule begins and ceases to hold for a model; see selection/panic.
import type { Logger } from '../log.ts';
import type { Target } from '../routing/snapshot.ts';
import { isPanicking } from '../selection/panic.ts';

/**
 * The function returned looks again; to be called whenever a health, a circuit or the snapshot has changed. However often it is
 * called in one go, it looks once, behind it: hundreds of backends may be probed at the same time.
 */
export function watchPanic(targets: () => ReadonlyMap<string, Target>, log: Logger): () => void {
  let before: ReadonlySet<string> = new Set();
  let isDue = false;
  const look = () => {
    isDue = false;
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
  return () => {
    if (!isDue) setImmediate(look);
    isDue = true;
  };
}
