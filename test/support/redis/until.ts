// Waiting for a state that servers reach among themselves and tell nobody.
import { setTimeout as wait } from 'node:timers/promises';

const everyMs = 50;

/** Resolves once `holds` does; until then a failure counts as "not yet". @throws Error naming `what`, with the last failure. */
export async function until(what: string, withinMs: number, holds: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + withinMs;
  let cause: unknown;
  do {
    try {
      if (await Promise.race([holds(), wait(end - performance.now(), false, { ref: false })])) return;
    } catch (failure) {
      cause = failure;
    }
    await wait(everyMs);
  } while (performance.now() < end);
  throw new Error(`not within ${withinMs} ms: ${what}`, { cause });
}
