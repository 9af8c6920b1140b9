// The shortest relay one can write in Node.js: `node test/bench/load/relay.ts PORT ENGINE`.
import { Agent, createServer, request } from 'node:http';

const [port = '0', engine = ''] = process.argv.slice(2);
const { hostname, port: enginePort } = new URL(engine);
const agent = new Agent({ keepAlive: true, maxSockets: Infinity });

createServer((from, to) => {
  const { method, url, headers } = from;
  const sent = request({ host: hostname, port: enginePort, method, path: url, headers, agent }, (answer) => {
    to.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
    answer.pipe(to);
  });
  sent.on('error', () => to.destroy());
  to.on('close', () => sent.destroy());
  from.pipe(sent);
}).listen(Number(port), '127.0.0.1');
