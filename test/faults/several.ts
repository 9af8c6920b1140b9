// Many of the same, a bounded number at a time or at a steady rate.
import { setTimeout as sleep } from 'node:timers/promises';
import type { ScriptedEngine } from '../support/scripted-engine.ts';

/** Runs `act` for 0 to `count` − 1, at most `atOnce` at the same time; results in order. */
export async function several<T>(count: number, atOnce: number, act: (n: number) => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < count) {
      const n = next++;
      results[n] = await act(n);
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, count) }, work));
  return results;
}

/** Starts `act` at a steady rate, whatever becomes of the ones before; resolves when all have ended. */
export async function steadily<T>(
  { perSecond, seconds }: { readonly perSecond: number; readonly seconds: number },
  act: (n: number) => Promise<T>,
): Promise<T[]> {
  const startedMs = performance.now();
  const begun: Promise<T>[] = [];
  while (begun.length < perSecond * seconds) {
    const due = Math.min(perSecond * seconds, Math.floor(((performance.now() - startedMs) / 1000) * perSecond) + 1);
    while (begun.length < due) begun.push(act(begun.length));
    await sleep(5);
  }
  return Promise.all(begun);
}

/** Up and down, again and again, up at the end. */
export async function flap(
  engine: ScriptedEngine,
  { times, everyMs }: { readonly times: number; readonly everyMs: number },
): Promise<void> {
  for (let n = 0; n < times; n++) {
    await sleep(everyMs);
    await engine.crash();
    await sleep(everyMs);
    await engine.listen();
  }
}
