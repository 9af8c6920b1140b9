// An address on loopback where connections never come about: a listener that accepts nothing, with its backlog filled.
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { Worker } from 'node:worker_threads';

export interface BlackHole {
  readonly url: string;
  close(): Promise<void>;
}

/** The thread blocks right after it listens, so the kernel fills the backlog and then drops what else arrives. */
const listener = `
  const { parentPort, workerData } = require('node:worker_threads');
  const server = require('node:net').createServer();
  server.listen({ port: workerData.port, host: '127.0.0.1', backlog: 1 }, () => {
    parentPort.postMessage(server.address().port);
    setImmediate(() => Atomics.wait(new Int32Array(workerData.held), 0, 0));
  });
`;

/** On any free port unless one is named. */
export async function startBlackHole(wanted = 0): Promise<BlackHole> {
  const held = new SharedArrayBuffer(4);
  const worker = new Worker(listener, { eval: true, workerData: { held, port: wanted } });
  const [port]: number[] = await once(worker, 'message');
  if (port === undefined) throw new Error('the listener told no port');
  const fillers: Socket[] = [];
  for (let n = 0; n < 8; n++) {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => {});
    fillers.push(socket);
  }
  // Those that fit are through at once; the others hang, which is the point.
  await new Promise((resolve) => void setTimeout(resolve, 100));
  return {
    url: `http://127.0.0.1:${port}`,
    async close() {
      for (const socket of fillers) socket.destroy();
      Atomics.store(new Int32Array(held), 0, 1);
      Atomics.notify(new Int32Array(held), 0);
      await worker.terminate();
    },
  };
}
