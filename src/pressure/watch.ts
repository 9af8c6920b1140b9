// Looks ten times a second at what this process is running out of. What that means is decided in admission/overload.
import { getHeapStatistics } from 'node:v8';
import type { Loads, Overload } from '../admission/overload.ts';
import type { Clock } from '../clock.ts';
import type { OverloadSettings } from '../fleet/overload-settings.ts';

/** What is used, in the units of the settings. */
export interface Readings {
  /** Used part of what the heap may grow to. */
  heap(): number;
  /** Used part of what may be open; undefined where nobody knows. */
  openFiles(): number | undefined;
  /** In bytes. */
  buffered(): number;
}

export interface WatchParts {
  readonly clock: Clock;
  readonly overload: Overload;
  readonly limits: OverloadSettings;
  readonly readings: Readings;
}

/** Also by how much less than the event loop was blocked a timer may be late, so finer is truer. */
const everyMs = 100;

export class PressureWatch {
  readonly #parts: WatchParts;
  #cancel: () => void = () => {};
  #loads: Loads = {};

  constructor(parts: WatchParts) {
    this.#parts = parts;
  }

  /** As last looked up. */
  get loads(): Loads {
    return this.#loads;
  }

  start(): void {
    const { clock } = this.#parts;
    const dueMs = clock.now() + everyMs;
    this.#cancel = clock.after(everyMs, () => {
      this.#look(Math.max(0, clock.now() - dueMs));
      this.start();
    });
  }

  stop(): void {
    this.#cancel();
  }

  #look(lateMs: number): void {
    const { clock, overload, limits, readings } = this.#parts;
    const openFiles = readings.openFiles();
    this.#loads = {
      event_loop_delay: lateMs / limits.eventLoopDelayMs,
      heap: readings.heap() / limits.heapRatio,
      ...(openFiles === undefined ? {} : { open_files: openFiles / limits.openFilesRatio }),
      buffered: readings.buffered() / limits.bufferedBytes,
    };
    overload.update(this.#loads, clock.now());
  }
}

/** What V8 calls its limit has room for young objects in it (three half-spaces of 64 MiB in Node 24) that old ones can't use. */
const youngBytes = 192 * 2 ** 20;

/**
 * V8 ends the process at 0.97 to 1 of this, whatever the size of the heap. `threads`: how many there are with a heap of their
 * own, each of which may grow as if it were alone; what there is has to do for all of them.
 */
export function usedHeap(threads = 1): number {
  const { used_heap_size: used, heap_size_limit: limit } = getHeapStatistics();
  const room = Math.max(limit - youngBytes, limit / 2);
  return used / Math.max(room / threads, Math.min(room, fewestBytes));
}

/** With less a thread collects its garbage too late to be judged by it. */
const fewestBytes = 256 * 2 ** 20;
