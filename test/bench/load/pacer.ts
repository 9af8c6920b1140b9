// A thread that says when the next request is due. Timers of an event loop are a millisecond coarse; a wait of a thread is good
// to some 60 µs.
import { parentPort, workerData } from 'node:worker_threads';

const { everyMs, startsAtMs }: { readonly everyMs: number; readonly startsAtMs: number } = workerData;
const never = new Int32Array(new SharedArrayBuffer(4));
/** The same clock in every thread. */
const nowMs = () => Number(process.hrtime.bigint()) / 1e6;

for (let dueAtMs = startsAtMs; ; dueAtMs += everyMs) {
  const waitMs = dueAtMs - nowMs();
  if (waitMs > 0) Atomics.wait(never, 0, 0, waitMs);
  parentPort?.postMessage(null, []);
}
