// Loaded into the router's process by `--import`: tells, when asked over the channel to its parent, how much has been allocated.
// The young generation is large enough that nothing is collected in between, so what is there is what was allocated.
import { GCProfiler, getHeapStatistics } from 'node:v8';

export interface Mark {
  /** On the heap of the engine. */
  readonly heapBytes: number;
  /** Of buffers beside it. */
  readonly bufferBytes: number;
  /** Since the mark before. */
  readonly collections: number;
}

let profiler = new GCProfiler();
profiler.start();

process.on('message', (asked) => {
  const collections = profiler.stop()?.statistics.length ?? 0;
  if (asked === 'begin') globalThis.gc?.();
  profiler = new GCProfiler();
  profiler.start();
  const { used_heap_size: heapBytes } = getHeapStatistics();
  const mark: Mark = { heapBytes, bufferBytes: process.memoryUsage().arrayBuffers, collections };
  process.send?.(mark);
});
// Nobody is there any more who would end it.
process.on('disconnect', () => process.exit(1));
