// The mock engine of every measurement: one process that answers plain requests at once and streams numbered events at a
// set pace. `node test/bench/load/engine.ts --port P --rate EVENTS_PER_S --events N`. What it is asked it reads whole, as an engine
// does.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { parseArgs } from 'node:util';
import { contentOf, modelName, streamHead } from './content.ts';

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '0' },
    rate: { type: 'string', default: '50' },
    events: { type: 'string', default: '250' },
  },
});
const everyMs = 20;
const perTick = Math.max(1, Math.round((Number(values.rate) * everyMs) / 1000));
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

const streams = new Set<Stream>();

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => answer(request, response, chunks));
});

function answer(request: IncomingMessage, response: ServerResponse, chunks: readonly Buffer[]): void {
  if (request.method !== 'POST') {
    const body = request.url?.endsWith('/models') === true ? models : Buffer.from('{"version":"0.11.0"}');
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length }).end(body);
    return;
  }
  const body = Buffer.concat(chunks);
  if (!body.includes('"stream":true') && !body.includes('"stream": true')) {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': plain.length }).end(plain);
    return;
  }
  const [, name = ''] = /"user": ?"([^"]*)"/.exec(body.toString('latin1')) ?? [];
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });
  response.write(streamHead);
  const stream: Stream = { response, name, next: 0 };
  streams.add(stream);
  response.on('close', () => streams.delete(stream));
}

// One timer for all of them, as a batch of an engine is one step.
setInterval(() => {
  for (const stream of streams) {
    for (let n = 0; n < perTick; n++) {
      if (stream.next === events) {
        streams.delete(stream);
        stream.response.end('data: [DONE]\n\n');
        break;
      }
      stream.response.write(contentOf(stream.name, stream.next++, events));
    }
  }
}, everyMs);

server.keepAliveTimeout = 120_000;
server.listen(Number(values.port), '127.0.0.1', () => {
  const address = server.address();
  if (address !== null && typeof address === 'object') process.stdout.write(`http://127.0.0.1:${address.port}\n`);
});
