// What this router may use of the machine that it runs on, as the fleet file says.

/** From where on the router refuses new requests, to serve those that it has; Infinity: from nowhere on. */
export interface OverloadSettings {
  /** How late timers run. */
  readonly eventLoopDelayMs: number;
  /** Of what the heap of this process may grow to: above 0, at most 1. */
  readonly heapRatio: number;
  /** Of the file descriptors it may have: above 0, at most 1. */
  readonly openFilesRatio: number;
  /** Request bodies, and answers that wait for their callers. */
  readonly bufferedBytes: number;
}
