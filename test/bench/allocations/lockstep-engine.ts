// An engine in the process that measures: plain requests are answered at once, and a stream says its next event only when told to.
import { createServer, type Server, type ServerResponse } from 'node:http';
import { contentOf, modelName, streamHead } from '../load/content.ts';

const events = 1_000_000;
const models = JSON.stringify({ object: 'list', data: [{ id: modelName, object: 'model', owned_by: 'bench' }] });
const plain = JSON.stringify({
  id: 'chatcmpl-1',
  object: 'chat.completion',
  created: 1,
  model: modelName,
  choices: [{ index: 0, message: { role: 'assistant', content: 'x'.repeat(200) }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 120, completion_tokens: 50, total_tokens: 170 },
});

export class LockstepEngine {
  readonly #server: Server;
  #stream: ServerResponse | undefined;
  #said = 0;

  constructor() {
    this.#server = createServer({ keepAliveTimeout: 600_000 }, (request, response) => {
      let body = '';
      request.setEncoding('latin1').on('data', (text: string) => (body += text));
      request.on('end', () => {
        if (body.includes('"stream":true')) this.#open(response);
        else {
          const text = request.method === 'POST' ? plain : models;
          response.writeHead(200, { 'content-type': 'application/json', 'content-length': text.length }).end(text);
        }
      });
    });
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    const address = this.#server.address();
    return `http://127.0.0.1:${address !== null && typeof address === 'object' ? address.port : 0}`;
  }

  say(): void {
    this.#stream?.write(contentOf('s', this.#said++, events));
  }

  endStream(): void {
    this.#stream?.end('data: [DONE]\n\n');
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  #open(response: ServerResponse): void {
    response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });
    response.write(streamHead);
    this.#stream = response;
    this.say();
  }
}
