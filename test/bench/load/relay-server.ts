// The shortest relay one can write in Node.js.
import { Agent, createServer, request, type Server } from 'node:http';

/** `name`: said in `x-worker` of every answer; left out: nothing is added. */
export function createRelay(engine: string, name?: string): Server {
  const { hostname, port } = new URL(engine);
  const agent = new Agent({ keepAlive: true, maxSockets: Infinity });
  const added = name === undefined ? [] : ['x-worker', name];
  return createServer((from, to) => {
    const { method, url, headers } = from;
    const sent = request({ host: hostname, port, method, path: url, headers, agent }, (answer) => {
      to.writeHead(answer.statusCode ?? 502, [...answer.rawHeaders, ...added]);
      answer.pipe(to);
    });
    sent.on('error', () => to.destroy());
    to.on('close', () => sent.destroy());
    from.pipe(sent);
  });
}
