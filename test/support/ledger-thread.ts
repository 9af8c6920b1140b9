// A thread that books in a shared ledger until it is done, is told to stop, or is ended.
import { parentPort, workerData } from 'node:worker_threads';
import { sharedLedger } from '../../src/access/shared-ledger.ts';
import type { Clock } from '../../src/clock.ts';
import type { Limits } from '../../src/fleet/fleet.ts';
import { rulesFor, tokens } from '../unit/access/support.ts';

/** Words that a test and its threads share. */
export const flags = { go: 0, running: 1, most: 2, stop: 3 } as const;

export type Task = 'take' | 'take and settle' | 'run' | 'hold' | 'stop inside' | 'hammer';

export interface ThreadWishes {
  readonly memory: SharedArrayBuffer;
  readonly flags: SharedArrayBuffer;
  readonly worker: number;
  readonly task: Task;
  readonly times: number;
  readonly limits: Limits;
}

/** How often it was granted, once it is done; `held`, `inside` and `ready` on the way. */
export type ThreadMessage = number | 'held' | 'inside' | 'ready';

const toTest = parentPort;
if (toTest !== null) toTest.postMessage(run(workerData as ThreadWishes, toTest), []);

function run({ memory, flags: shared, worker, task, times, limits }: ThreadWishes, port: Port): number {
  const words = new Int32Array(shared);
  const clock = clockFor(task, () => {
    port.postMessage('inside' satisfies ThreadMessage);
    Atomics.wait(words, flags.stop, 0);
  });
  const ledger = sharedLedger(memory, { clock, worker });
  const rules = rulesFor({ ofTenant: limits })('m');
  port.postMessage('ready' satisfies ThreadMessage);
  Atomics.wait(words, flags.go, 0);
  let granted = 0;
  for (let n = 0; n < times && Atomics.load(words, flags.stop) === 0; n++) {
    const others = task === 'hammer' ? rulesFor({ key: limits, keyId: String(n % 1_000) })('m') : rules;
    if (!ledger.take(others, tokens(5)).granted) continue;
    granted++;
    if (task === 'run') {
      const running = Atomics.add(words, flags.running, 1) + 1;
      if (running > Atomics.load(words, flags.most)) Atomics.store(words, flags.most, running);
      Atomics.sub(words, flags.running, 1);
    }
    if (task === 'take and settle') ledger.end(others, tokens(5), tokens(2));
    if (task === 'run' || task === 'hammer') ledger.end(others, tokens(5), undefined);
  }
  if (task === 'hold') {
    port.postMessage('held' satisfies ThreadMessage);
    Atomics.wait(words, flags.stop, 0);
  }
  return granted;
}

type Port = NonNullable<typeof parentPort>;

/** It stands still, so that nothing comes back. */
function clockFor(task: Task, stopInside: () => void): Clock {
  const startedMs = performance.now();
  const now = () => {
    if (task === 'stop inside') stopInside();
    return task === 'hammer' ? 1_000 + performance.now() - startedMs : 1_000;
  };
  return { now, after: () => () => {} };
}
