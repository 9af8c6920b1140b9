// Loaded into a router's process by `--import`, and with that into each of its threads: a worker uses up its heap, or stops doing
// anything, once a file is there that is called after it.
import { existsSync, rmSync } from 'node:fs';
import { isMainThread, workerData } from 'node:worker_threads';

const directory = process.env['TROUBLE'];

if (!isMainThread && directory !== undefined) {
  const { worker }: { readonly worker: number } = workerData;
  setInterval(() => {
    for (const [kind, begin] of Object.entries({ exhaust, hang })) {
      const file = `${directory}/${kind}-${worker}`;
      if (!existsSync(file)) continue;
      rmSync(file);
      begin();
    }
  }, 20).unref();
}

function exhaust(): void {
  const kept: number[][] = [];
  for (;;) kept.push(Array<number>(10_000).fill(kept.length));
}

function hang(): void {
  for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}
