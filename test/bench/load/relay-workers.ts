// A bare relay of several workers, in one of the ways that Node.js has for that:
// `node test/bench/load/relay-workers.ts threads|cluster-turns|cluster-port WORKERS PORT ENGINE`.
import cluster from 'node:cluster';
import { isMainThread, threadId, Worker } from 'node:worker_threads';
import { createRelay } from './relay-server.ts';

const [way = '', workers = '1', port = '0', engine = ''] = process.argv.slice(2);
const reusePort = way !== 'cluster-turns';

if (cluster.isPrimary && isMainThread) {
  cluster.schedulingPolicy = cluster.SCHED_RR;
  for (let n = 0; n < Number(workers); n++) {
    const worker =
      way === 'threads' ? new Worker(new URL(import.meta.url), { argv: process.argv.slice(2) }) : cluster.fork();
    worker.on('error', (cause) => process.stderr.write(`${cause.message}\n`));
  }
} else {
  const name = way === 'threads' ? `thread ${threadId}` : `process ${process.pid}`;
  createRelay(engine, name).listen({ port: Number(port), host: '127.0.0.1', reusePort, backlog: 4_096 });
}
