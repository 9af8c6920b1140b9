// The mock engine of every measurement: one process that answers plain requests at once and streams numbered events at a
// set pace. `node test/bench/load/engine.ts --rate EVENTS_PER_S --events N --hosts N`. What it is asked it reads whole, as an
// engine does.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { parseArgs } from 'node:util';
import { contentOf, modelName, streamHead } from './content.ts';

const { values } = parseArgs({
  options: {
    rate: { type: 'string', default: '50' },
    events: { type: 'string', default: '250' },
    hosts: { type: 'string', default: '1' },
  },
});
const everyMs = 20;
const perTick = Math.max(1, Math.round((Number(values.rate) * everyMs) / 1000));
/** Slower streams have their turn only every so many ticks. */
const turns = Math.max(1, Math.round(1000 / everyMs / Number(values.rate)));
const events = Number(values.events);

const plain = Buffer.from(
  JSON.stringify({
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 1,
    model: modelName,
    choices: [{ index: 0, message: { role: 'assistant', content: 'x'.repeat(200) }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 120, completion_tokens: 50, total_tokens: 170 },
  }),
);
const models = Buffer.from(
  JSON.stringify({
    object: 'list',
    data: [{ id: modelName, object: 'model', owned_by: 'vllm', max_model_len: 32_768 }],
  }),
);

interface Stream {
  readonly response: ServerResponse;
  readonly name: string;
  next: number;
}

const streams = Array.from({ length: turns }, () => new Set<Stream>());
let [opened, ticks] = [0, 0];

function listener(request: IncomingMessage, response: ServerResponse): void {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => answer(request, response, chunks));
}

function answer(request: IncomingMessage, response: ServerResponse, chunks: readonly Buffer[]): void {
  if (request.method !== 'POST') {
    const body = request.url?.endsWith('/models') === true ? models : Buffer.from('{"version":"0.11.0"}');
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length }).end(body);
    return;
  }
  const body = Buffer.concat(chunks);
  if (!wantsStream(body)) {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': plain.length }).end(plain);
    return;
  }
  const [, name = ''] = /"\[(\w+)\] /.exec(body.toString('latin1')) ?? [];
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });
  response.write(streamHead);
  const stream: Stream = { response, name, next: 0 };
  const turn = streams[opened++ % turns];
  turn?.add(stream);
  response.on('close', () => turn?.delete(stream));
}

/** A prompt of a megabyte is not searched: settings stand before it, or after. */
function wantsStream(body: Buffer): boolean {
  const parts = body.length < 65_536 ? [body] : [body.subarray(0, 2_048), body.subarray(-2_048)];
  return parts.some((part) => part.includes('"stream":true') || part.includes('"stream": true'));
}

// One timer for all of them, as a batch of an engine is one step.
setInterval(() => {
  const turn = streams[ticks++ % turns] ?? new Set<Stream>();
  for (const stream of turn) {
    for (let n = 0; n < perTick; n++) {
      if (stream.next === events) {
        turn.delete(stream);
        stream.response.end('data: [DONE]\n\n');
        break;
      }
      stream.response.write(contentOf(stream.name, stream.next++, events));
    }
  }
}, everyMs);

function listen(host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer({ keepAliveTimeout: 120_000 }, listener);
    server.on('error', reject);
    server.listen({ host, port, backlog: 4_096 }, () => {
      const address = server.address();
      resolve(address !== null && typeof address === 'object' ? address.port : 0);
    });
  });
}

const port = await listen('127.0.0.1', 0);
const hosts = Array.from({ length: Number(values.hosts) }, (_, n) => `127.0.${Math.floor(n / 250)}.${(n % 250) + 1}`);
for (const host of hosts.slice(1)) await listen(host, port);
process.stdout.write(`${hosts.map((host) => `http://${host}:${port}`).join(' ')} all\n`);
