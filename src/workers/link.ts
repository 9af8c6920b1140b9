// A worker's end of what it and the main thread say to each other. Messages arrive in the order in which they were sent.
import { parentPort, workerData } from 'node:worker_threads';

export interface Link<Data, ToWorker, FromWorker> {
  /** What the thread was started with. */
  readonly data: Data;
  readonly tell: (message: FromWorker) => void;
  /** From now on; what has come before is heard first. */
  readonly hear: (listener: (message: ToWorker) => void) => void;
  /** Nothing more is heard: with nothing else to do the thread ends. */
  readonly close: () => void;
}

/** In a thread that the pool has started, once. Which types they are is known to whoever has started it. */
export function openLink(): Link<unknown, unknown, unknown> {
  const port = parentPort;
  if (port === null) throw new Error('this is the main thread');
  return {
    data: workerData,
    // No list of what is handed over: everything is copied.
    tell: (message) => port.postMessage(message, []),
    hear: (listener) => void port.on('message', listener),
    close: () => port.close(),
  };
}
