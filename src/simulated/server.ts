// The HTTP server behind the engine `simulated`: a stand-in for demos and client tests that says so in every answer.
// It imitates the API, not a model, and must not be put on a network: it knows no keys.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { SimulateSettings } from '../fleet/fleet.ts';
import { type Refusal, refuse } from './fields.ts';
import { play, sendJson } from './play.ts';
import { answerTo, type Identity } from './routes.ts';

export interface SimulatedOptions extends SimulateSettings {
  /** Shown in its answers. */
  readonly name?: string;
  readonly host?: string;
  /** 0, as when left out, asks the system for a free port. */
  readonly port?: number;
}

export interface SimulatedServer {
  /** Without a trailing slash. */
  readonly url: string;
  /** Ends every connection and timer; resolves when all are gone. */
  close(): Promise<void>;
}

const maxBodyBytes = 16 * 2 ** 20;

export async function startSimulated(options: SimulatedOptions): Promise<SimulatedServer> {
  const { host = '127.0.0.1', port = 0, name = 'simulated', models } = options;
  const identity: Identity = { name, models, startedAt: Math.floor(Date.now() / 1000) };
  const underWay = new Set<Promise<void>>();
  const server = createServer((request, response) => {
    const work = serve(request, response, { identity, options }).finally(() => underWay.delete(work));
    underWay.add(work);
  });
  server.listen(port, host);
  await once(server, 'listening');
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('the simulated server has no address');
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${address.port}`,
    async close() {
      if (!server.listening) return;
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
      await Promise.all(underWay);
    },
  };
}

interface Serving {
  readonly identity: Identity;
  readonly options: SimulatedOptions;
}

/** Never throws: an error after the caller hung up has nobody to tell. */
async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  { identity, options }: Serving,
): Promise<void> {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  response.setHeader('x-simulated', 'true');
  try {
    const body = await readBody(request);
    if (!Buffer.isBuffer(body)) {
      response.shouldKeepAlive = false;
      return sendRefusal(response, body);
    }
    const path = (request.url ?? '').split('?', 1)[0] ?? '';
    const outcome = answerTo(request.method ?? '', path, body, identity);
    if (outcome.kind === 'refusal') return sendRefusal(response, outcome);
    if (outcome.kind === 'json') return sendJson(response, 200, outcome.body);
    await play(outcome, response, options, gone.signal);
  } catch (cause) {
    if (!gone.signal.aborted) response.destroy(cause instanceof Error ? cause : undefined);
  }
}

async function readBody(request: IncomingMessage): Promise<Buffer | Refusal> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    if (!Buffer.isBuffer(chunk)) continue;
    bytes += chunk.length;
    if (bytes > maxBodyBytes) return refuse(413, `The body is larger than ${maxBodyBytes} bytes.`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function sendRefusal(response: ServerResponse, { status, error }: Refusal): void {
  sendJson(response, status, { error });
}
